//! One integration binary for the whole tool.
