"""Where raw lines for ImportEvents come from: GH Archive files and git clones."""
