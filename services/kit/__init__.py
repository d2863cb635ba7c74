"""The plumbing that the four services share. It knows no word of the domain and never decides anything."""
