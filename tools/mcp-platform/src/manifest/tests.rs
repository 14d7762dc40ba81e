//! What every object of every server has to keep.
