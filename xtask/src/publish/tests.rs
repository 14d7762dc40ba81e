//! Plans from what targets answered.
