"""What every Laurel service stands on: no domain words, no tables, no context's protobuf."""
