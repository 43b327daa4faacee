//! Checks on startup whether the product may run: `cargo run --example verify -- HOME`.

use olr::{Guard, GuardConfig, Operation, Question, Result, shown};

/// The trust that this product accepts, whatever the home contains. Compile in your own instead of
/// this test vendor's.
const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust");

fn main() {
    let home = std::env::args().nth(1).unwrap_or_else(|| "/var/lib/olr".to_string());
    match licensee(&home) {
        Ok(licensee) => println!("running for {licensee}"),
        Err(no) => {
            eprintln!("{no}\nhint: {}", no.next_step());
            std::process::exit(no.exit_status().into());
        }
    }
}

/// Returns the licensee if this product may run now.
fn licensee(home: &str) -> Result<String> {
    let guard = Guard::open(GuardConfig::new(home, ANCHOR, "example"))?;
    guard.ask(&Question::about(Operation::RUN))?;
    let decision = guard.decision();
    let licensee = decision.license().map(|license| &license.body().licensee);
    Ok(licensee.map(|licensee| shown(licensee).into_owned()).unwrap_or_default())
}
