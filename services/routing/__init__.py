"""Routing: decides who must be told of what, by when and why, and sees that they are told."""
