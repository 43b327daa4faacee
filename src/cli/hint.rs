//! Wording of next steps for the command line: a sentence, then the command or flag for each
//! action in it.

use olr_core::error::{NextStep, Remedy};
use olr_core::judge::Headline;
use olr_core::machine::Reason;

/// The command or flag for each action, in the order of [`Remedy::ALL`].
const WAYS: &[(Remedy, &str)] = &[
    (Remedy::MakeRequest, "`olr request`"),
    (Remedy::Renew, "`olr request --renew`"),
    (Remedy::NewIdentity, "`olr request --new-identity --trust FILE --licensee NAME --key KEY`"),
    (Remedy::ImportLicense, "`olr import license.olr`"),
    (Remedy::ImportTime, "`olr import time.olr`"),
    (Remedy::Deactivate, "`olr deactivate`"),
    (Remedy::Inspect, "`olr inspect FILE`"),
    (Remedy::ShowStatus, "`olr status`"),
    (Remedy::ShowAlertSettings, "`olr alert --example`"),
    (Remedy::TestAlerts, "`olr alert --test`"),
    (Remedy::ShowAlerts, "`olr alert --dry-run`"),
    (Remedy::NameHome, "--home DIR"),
    (Remedy::NameTrust, "--trust FILE"),
    (Remedy::NameLicensee, "--licensee NAME"),
    (Remedy::NameLicenseKey, "--key KEY"),
    (Remedy::NameSlot, "--product and --slot"),
    (Remedy::Pin, "--pin NAME=VALUE"),
    (Remedy::ReadPrivileged, "--privileged"),
    (Remedy::AcceptOverQuota, "--accept-over-quota"),
    (Remedy::NameEnd, "--until"),
    (Remedy::NameVendor, "--vendor DIR"),
    (Remedy::MakeVendor, "`olr vendor init DIR --name NAME`"),
    (Remedy::AnswerTime, "`olr vendor time-anchor req.olr`"),
    (Remedy::PublishTrust, "`olr vendor publish FILE`"),
    (Remedy::ListIssued, "`olr vendor issued`"),
    (Remedy::IssueAgain, "`olr issue --again`"),
    (Remedy::BringReceipt, "--receipt receipt.olr"),
    (Remedy::Transfer, "--transfer REASON"),
    (Remedy::NameReason, "--reason REASON"),
    (Remedy::NameAbsent, "--also"),
    (Remedy::RevokeKey, "`olr revoke KEY-ID`"),
    (Remedy::RevokeAgain, "`olr revoke --again`"),
    (Remedy::ListKeys, "`olr key list`"),
    (Remedy::MakeIssuer, "`olr key new --role issuer`"),
    (Remedy::RotateIssuer, "`olr key rotate issuer`"),
    (Remedy::Delegate, "`olr key delegate ISSUER --act ACT`"),
    (Remedy::SignProposal, "`olr key sign PROPOSAL --key KEY`"),
    (Remedy::ProposeTrust, "`olr key propose --help`"),
    (Remedy::RemoveKey, "--remove-root, --remove-sealing"),
    (Remedy::ImportKey, "`olr key import FILE --role ROLE`"),
    (Remedy::NamePassphrase, "--passphrase-file FILE"),
    (Remedy::NameCatalog, "--catalog FILE"),
    (Remedy::NameAct, "--act"),
    (Remedy::AllowAny, "--max MODULE=any"),
    (Remedy::ConfirmDate, "`olr ledger clock`"),
    (Remedy::ShortenMaintenance, "--shorten"),
    (Remedy::BuyMaintenance, "--buy-maintenance REF"),
    (Remedy::AddParty, "`olr party add NAME --kind KIND`"),
    (Remedy::ListStock, "`olr stock`"),
];

/// Formats a next step with its commands: ``make a new request (`olr request`)``.
pub fn said(step: &NextStep) -> String {
    let way = |remedy: &Remedy| {
        let mut ways = WAYS.iter();
        ways.find(|(known, _)| known == remedy).map(|(_, way)| *way)
    };
    let ways: Vec<_> = step.remedies().iter().filter_map(way).collect();
    match ways.is_empty() {
        true => step.text().to_string(),
        false => format!("{step} ({})", ways.join(", ")),
    }
}

/// Says why a factor was not read, and names the flag if one makes `olr` read it.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NeedsPrivileged => "needs --privileged",
        other => other.word(),
    }
}

/// Formats a headline with its next step.
pub fn headline(headline: &Headline) -> String {
    headline.said(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_typed_once() {
        let said: Vec<_> = WAYS.iter().map(|(remedy, _)| *remedy).collect();
        assert_eq!(said, Remedy::ALL);
    }

    #[test]
    fn what_is_typed_is_said_behind_the_sentence() {
        assert_eq!(said(&NextStep::from("look at it")), "look at it");
        let step = NextStep::new(
            "ask, and import the answer",
            &[Remedy::MakeRequest, Remedy::ImportLicense],
        );
        let typed = "ask, and import the answer (`olr request`, `olr import license.olr`)";
        assert_eq!(said(&step), typed);
    }

    /// A renamed flag or verb must be renamed in its hint too.
    #[cfg(feature = "vendor")]
    #[test]
    fn the_command_line_has_every_way() {
        let command = crate::cli::command();
        let all = flags(&command);
        for (remedy, way) in WAYS {
            let flags_there = match way.strip_prefix("`olr ") {
                None => all.clone(),
                Some(typed) => {
                    let mut verb = &command;
                    for word in typed.trim_end_matches('`').split(' ') {
                        verb = verb.find_subcommand(word).unwrap_or(verb);
                    }
                    assert_ne!(verb.get_name(), "olr", "{remedy}: {way}");
                    flags(verb)
                }
            };
            let words = way.split([' ', ',', '`']).filter_map(|word| word.strip_prefix("--"));
            for flag in words.filter(|flag| *flag != "help") {
                assert!(flags_there.contains(&flag.to_string()), "{remedy}: {way}");
            }
        }
    }

    #[cfg(feature = "vendor")]
    fn flags(command: &clap::Command) -> Vec<String> {
        let own = command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_string));
        let below = command.get_subcommands().flat_map(flags);
        own.chain(below).collect()
    }
}
