"""Work on a GPU: matte models and the lane that owns the device."""
