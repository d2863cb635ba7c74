"""What a decision leads to: the rows to keep and the messages to publish, as values. Nothing here reads or writes."""
