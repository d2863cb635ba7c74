"""The log's arithmetic: Merkle tree, tiles, signed notes, canonical JSON, and what an entry is. Pure."""
