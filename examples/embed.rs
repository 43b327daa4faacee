//! A whole small product: `cargo run --example embed -- HOME [USER]…` creates a user for each name.
//! `docs/embed.md` says why it is as it is.

use olr::{Error, Guard, GuardConfig, Operation, Question, Result, shown};

/// The vendor's own operation, as the catalog names it.
const CREATE_USER: Operation = Operation::new("create-user").unwrap();

/// Whom this product believes, whatever the home says. Compile in your own, not this test vendor.
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
    // What may not run does not start.
    guard.ask(&Question::about(Operation::RUN))?;
    let mut users = Vec::new();
    for name in names {
        if let Err(no) = create_user(&guard, &mut users, name) {
            println!("no: {no}");
        }
        tell(&guard);
    }
    // What whoever logs in is shown first.
    match guard.decision().headline() {
        Some(headline) => println!("{headline}"),
        None => println!("{} users", users.len()),
    }
    Ok(())
}

/// Each user backs up one server.
fn create_user(guard: &Guard, users: &mut Vec<String>, name: String) -> Result<(), Error> {
    // What is in use is said first, so that what is asked next is answered by it.
    let in_use = |users: &[String]| u64::try_from(users.len()).unwrap_or(u64::MAX);
    report(guard, in_use(users));
    guard.ask(&Question { adds: &[("OBM", 1)], ..Question::about(CREATE_USER) })?;
    println!("created {}", shown(&name));
    users.push(name);
    report(guard, in_use(users));
    Ok(())
}

/// Says what is in use. What nothing grants counts against a quota of 0: a wrong name is seen here.
fn report(guard: &Guard, users: u64) {
    match guard.report(&[("OBM", users)]) {
        Ok(ungranted) => ungranted.iter().for_each(|count| {
            eprintln!("warning: {} is not granted, {} in use", shown(&count.module), count.count)
        }),
        Err(error) => warn(Err(error)),
    }
}

/// Mails or logs what changed, and only then acknowledges it.
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

/// What could not be stored counts all the same: the product goes on, and says so.
fn warn(stored: Result<()>) {
    if let Err(error) = stored {
        eprintln!("warning: {error}; {}", error.next_step());
    }
}
