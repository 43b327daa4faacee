//! `olr deactivate`: stop here, and say so in a receipt.

use serde_json::json;
use std::io::{BufRead, IsTerminal, Read};

use olr::display::shown;
use olr::error::{Error, Result};
use olr::receipt::Receipt;
use olr::state::SlotName;
use olr::wire::frame::Kind;

use super::context::{Context, HomeArg, SlotArg};
use super::files::Output;
use super::output::Report;
use super::show;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    slot: SlotArg,
    #[command(flatten)]
    output: Output,
    /// Ask no question.
    #[arg(long)]
    yes: bool,
}

const NAME: &str = "receipt.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    let home = args.home.open(context)?;
    let state = home.expect_state()?;
    let slot = state.slot(args.slot.product.as_deref(), args.slot.slot.as_deref())?;
    let (name, install_key) = (slot.name.clone(), state.install_key());
    args.output.expect_free(NAME, Kind::Receipt, |bytes| {
        Receipt::verify(bytes).is_ok_and(|old| old.body().install_key == install_key)
    })?;
    let again = slot.installed.is_none() && slot.next.is_none();
    if !again && !args.yes {
        ask(&name)?;
    }
    let receipt = home.deactivate(&name, context.now)?;
    let mut report = report(&receipt, &args.output.name(NAME), again).at_home(&home);
    args.output.write(NAME, Kind::Receipt, receipt.bytes(), &mut report)?;
    Ok(report)
}

/// On a terminal only: elsewhere the command does what it says.
fn ask(name: &SlotName) -> Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(());
    }
    let (product, slot) = (shown(&name.product), shown(&name.slot));
    eprint!("Deactivate {product} in slot {slot} on this server? It stops running here. [y/N] ");
    let mut answer = String::new();
    let read = stdin.lock().take(16).read_line(&mut answer);
    if read.is_ok() && answer.trim().eq_ignore_ascii_case("y") {
        return Ok(());
    }
    Err(Error::unable("nothing was changed", "answer y, or add --yes, to deactivate"))
}

fn report(receipt: &Receipt, file: &str, again: bool) -> Report {
    let body = receipt.body();
    let done = match again {
        true => "This slot was deactivated before; its receipt was written again to",
        false => "The license is deactivated: nothing runs under it here any more. Wrote",
    };
    let text = format!(
        "{}\n\n{done} {file}. Give it to your vendor to use the key on another machine.",
        show::pairs(&show::receipt_pairs(body))
    );
    let mut json = show::receipt_json(body);
    json.insert("file".to_string(), json!(file));
    json.insert("again".to_string(), json!(again));
    Report::new(text, serde_json::Value::Object(json))
}
