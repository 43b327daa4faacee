#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| olr_testkit::properties::proposal(bytes));
