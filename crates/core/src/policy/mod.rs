//! Decisions, as functions of values: no input or output, all property-tested.
