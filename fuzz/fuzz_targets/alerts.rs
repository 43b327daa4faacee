#![no_main]
#[path = "../../tests/world/alerts.rs"]
mod alerts;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| alerts::alerts(bytes));
