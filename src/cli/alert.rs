//! `olr alert`: tells people what changed, each change once.

use serde_json::{Value, json};

use crate::alert::{EXAMPLE, Heard, Settings, Told, dry_run, tell, test};
use olr_core::error::{Error, Result};

use super::hint;
use super::output::{Output, put};
use crate::cli::args::home::HomeArg;
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    /// Send a test notification to all recipients, and change nothing.
    #[arg(long, conflicts_with = "dry_run")]
    test: bool,
    /// Show the notifications that would be sent, but send none.
    #[arg(long)]
    dry_run: bool,
    /// Print starter settings, to save as alerts.toml in the home.
    #[arg(long, conflicts_with_all = ["test", "dry_run"])]
    example: bool,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    if args.example {
        let report = Output::new(EXAMPLE.trim_end(), json!({"example": EXAMPLE}));
        return Ok(Output { verbatim: true, ..report });
    }
    let home = args.home.open(context)?;
    let settings = Settings::read(home.folder())?;
    context.notes.extend(settings.warning(home.folder()));
    let (around, _) = context.around(true);
    let report = match (args.dry_run, args.test) {
        (true, _) => shown(&dry_run(&home, &settings, &around)?),
        (false, true) => report(&[test(&home, &settings, &around, hint::said)]),
        (false, false) => report(&tell(&home, &settings, &around, hint::said)?),
    };
    let report = match home.load() {
        Ok(Some(state)) => report.of_vendor(state.trust()),
        _ => report,
    };
    Ok(report.at_home(&home))
}

fn shown(all: &[(crate::alert::Notice, Vec<crate::alert::Way>)]) -> Output {
    let one = |(notice, ways): &(crate::alert::Notice, Vec<crate::alert::Way>)| {
        let ways: Vec<_> = ways.iter().map(ToString::to_string).collect();
        let text = format!(
            "To:      {}\nSubject: {}\n\n{}",
            ways.join(", "),
            notice.subject(),
            notice.text(hint::said)
        );
        let mut json = notice.json(hint::said);
        put(&mut json, "ways", json!(ways));
        (text, json)
    };
    let (texts, jsons): (Vec<_>, Vec<Value>) = all.iter().map(one).unzip();
    let text = match texts.is_empty() {
        true => "There are no new notifications.".to_string(),
        false => texts.join("\n").trim_end().to_string(),
    };
    Output::new(text, json!({"alerts": jsons}))
}

fn report(all: &[Told]) -> Output {
    let mut lines: Vec<_> = all.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("There are no new notifications.".to_string());
    }
    let failures = all.iter().flat_map(|told| &told.ways).filter_map(|(way, heard)| match heard {
        Heard::Not(error) => Some(error.clone().within(way)),
        Heard::Now | Heard::Before => None,
    });
    let failures: Vec<Error> = failures.collect();
    let jsons: Vec<_> = all.iter().map(told_json).collect();
    let mut report = Output::new("", json!({"alerts": jsons}));
    if let Some(first) = failures.first() {
        let kept = all.iter().filter(|told| !told.is_whole()).count();
        let error = first
            .clone()
            .within(format!("{kept} of {} notifications not fully delivered", all.len()));
        lines.push(format!("failed: {error}"));
        lines.push(format!("hint: {}", hint::said(error.next_step())));
        report = report.refused(&error);
    }
    report.text = lines.join("\n");
    report
}

/// Formats the notice of a change: whether every recipient was told, its subject, and the result
/// for each recipient.
fn line(told: &Told) -> String {
    let state = if told.is_whole() { "sent" } else { "not fully sent" };
    let ways = told.ways.iter().map(|(way, heard)| match heard {
        Heard::Now => format!("{way}: sent"),
        Heard::Before => format!("{way}: sent before"),
        Heard::Not(error) => format!("{way}: not sent, {}", error.fact()),
    });
    let ways = ways.collect::<Vec<_>>().join("\n  ");
    format!("{state}: {}\n  {ways}", told.notice.subject())
}

fn told_json(told: &Told) -> Value {
    let mut json = told.notice.json(hint::said);
    put(&mut json, "told", json!(told.is_whole()));
    let ways = told.ways.iter().map(|(way, heard)| match heard {
        Heard::Now => json!({"way": way.to_string(), "heard": "now"}),
        Heard::Before => json!({"way": way.to_string(), "heard": "before"}),
        Heard::Not(error) => {
            json!({"way": way.to_string(), "heard": "not", "fact": error.fact(), "hint": hint::said(error.next_step())})
        }
    });
    put(&mut json, "ways", ways.collect::<Value>());
    json
}
