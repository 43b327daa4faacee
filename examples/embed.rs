//! A complete small product: `cargo run --example embed -- HOME [USER]…` creates one user per name.
//! `docs/embed.md` explains how it works and why.

use olr::{Error, Guard, GuardConfig, Operation, Question, Result, shown};

/// A vendor-defined operation, as named in the catalog.
const CREATE_USER: Operation = Operation::new("create-user").unwrap();

/// The trust that this product accepts, whatever the home contains. Compile in your own instead of
/// this test vendor's.
const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust");

fn main() {
    let mut args = std::env::args().skip(1);
    let home = args.next().unwrap_or_else(|| "/var/lib/olr".to_string());
    if let Err(no) = serve(&home, args) {
        eprintln!("{no}\nhint: {}", no.next_step());
        std::process::exit(no.exit_status().into());
    }
}

fn serve(home: &str, names: impl Iterator<Item = String>) -> Result<()> {
    let guard = Guard::open(GuardConfig::new(home, ANCHOR, "example"))?;
    tell(&guard);
    // Do not start if the license does not allow the product to run.
    guard.ask(&Question::about(Operation::RUN))?;
    let mut users = Vec::new();
    for name in names {
        if let Err(no) = create_user(&guard, &mut users, name) {
            println!("no: {no}");
        }
        tell(&guard);
    }
    // Show the most important notice to anyone who logs in.
    match guard.decision().headline() {
        Some(headline) => println!("{headline}"),
        None => println!("{} users", users.len()),
    }
    Ok(())
}

/// Creates a user if the license allows it. Each user backs up one server.
fn create_user(guard: &Guard, users: &mut Vec<String>, name: String) -> Result<(), Error> {
    // Report current usage first, so that the answer to the next question takes it into account.
    let in_use = |users: &[String]| u64::try_from(users.len()).unwrap_or(u64::MAX);
    report(guard, in_use(users));
    guard.ask(&Question { adds: &[("OBM", 1)], ..Question::about(CREATE_USER) })?;
    println!("created {}", shown(&name));
    users.push(name);
    report(guard, in_use(users));
    Ok(())
}

/// Reports usage. Warns of a module that the license neither grants nor includes: its quota is 0,
/// and its name may be misspelled.
fn report(guard: &Guard, users: u64) {
    match guard.report(&[("OBM", users)]) {
        Ok(ungranted) => ungranted.iter().for_each(|count| {
            eprintln!("warning: {} is not granted, {} in use", shown(&count.module), count.count)
        }),
        Err(error) => warn(Err(error)),
    }
}

/// Notifies people of changes, and acknowledges the events only afterwards. This example prints
/// them; a real product sends mail or writes to a log.
fn tell(guard: &Guard) {
    let events = guard.events();
    for event in events.iter() {
        println!("event {} {}: {}", event.cause, event.stage, &*event.fact);
    }
    let told: Vec<_> = events.iter().map(|event| event.id).collect();
    if !told.is_empty() {
        warn(guard.acknowledge(&told));
    }
}

/// Warns of a report or acknowledgement that could not be saved. The guard still applies it in
/// memory, so the product continues.
fn warn(stored: Result<()>) {
    if let Err(error) = stored {
        eprintln!("warning: {error}; {}", error.next_step());
    }
}
