#!/bin/sh
# Runs the backend through the kit, and shows what the kit says. The features are those of the whole
# test run, so that nothing is compiled anew.
exec cargo test --quiet --workspace --features vestibule-server/full --test conformance -- --nocapture
