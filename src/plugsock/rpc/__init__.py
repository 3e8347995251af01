"""The language between gateway and worker: what they say (`frames`) and through what (`link`). Pure."""
