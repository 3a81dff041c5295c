"""What a model may do: tools of any kind, joined, guarded and called for it."""
