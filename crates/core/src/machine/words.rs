//! Describes the result of comparing two machines: one sentence and one next step.

use crate::display::shown;
use crate::error::{NextStep, Remedy};
use crate::machine::compare::{Change, Line, looks_like_a_copy};
use crate::machine::{Assessment, Class, FactorKind, Reason};

/// Returns one sentence for the support staff: what happened to the machine, judging by its
/// factors.
pub fn judgement(lines: &[Line]) -> String {
    let enrolled = || lines.iter().filter(|line| line.change != Change::New);
    let kept = |line: &&Line| line.change == Change::Same;
    let lost = |line: &&Line| !kept(line);
    let hardware = |line: &&Line| line.class == Class::Hardware;
    let disk = |line: &&Line| matches!(line.kind, FactorKind::MachineId | FactorKind::Filesystem);
    let pin = |line: &&Line| line.kind == FactorKind::Pin;
    let sentence = if enrolled().next().is_none() {
        "there are no earlier values to compare with"
    } else if !enrolled().any(|line| lost(&line)) {
        "the same machine: nothing changed"
    } else if !enrolled().any(|line| kept(&line)) {
        "another machine: no value is the same"
    } else if enrolled().filter(kept).all(|line| pin(&line)) && enrolled().any(|l| !pin(&l)) {
        "another machine: only the operator's pins are the same, and they move with the home"
    } else if !enrolled().any(|line| hardware(&line)) {
        return format!(
            "changed: {}; no earlier hardware value is known, so this may be the same machine or a copy of it",
            labels(enrolled().filter(lost))
        );
    } else if looks_like_a_copy(lines) && enrolled().filter(disk).any(|line| kept(&line)) {
        return on_other_hardware(enrolled().filter(hardware).filter(kept));
    } else if enrolled().filter(hardware).any(|line| kept(&line)) {
        return on_its_hardware(lines);
    } else {
        "another machine: no hardware value is the same"
    };
    sentence.to_string()
}

/// Sentence for the same disk on other hardware. `kept` lists hardware that several machines may
/// show.
fn on_other_hardware<'a>(kept: impl Iterator<Item = &'a Line>) -> String {
    let shared = match labels(kept) {
        none if none.is_empty() => none,
        shared => format!(" with the same {shared}"),
    };
    format!(
        "the same disk on other hardware{shared}: a copy, a clone or a move; ask whether the old machine is still running"
    )
}

/// Sentence for a machine of which some hardware is the same.
fn on_its_hardware(lines: &[Line]) -> String {
    let enrolled = || lines.iter().filter(|line| line.change != Change::New);
    let lost = |line: &&Line| line.change != Change::Same;
    let card = |line: &&Line| {
        line.kind == FactorKind::NetworkAddress && line.class == Class::Hardware && lost(line)
    };
    let hardware: Vec<_> =
        enrolled().filter(|line| line.class == Class::Hardware).filter(lost).collect();
    let image: Vec<_> = enrolled().filter(|line| line.class == Class::Image).filter(lost).collect();
    let new_card = lines
        .iter()
        .any(|line| line.kind == FactorKind::NetworkAddress && matches!(line.change, Change::New));
    let both_ids = [FactorKind::MachineId, FactorKind::Filesystem];
    let is_new = both_ids.iter().all(|kind| image.iter().any(|line| line.kind == *kind));
    let first = match hardware.as_slice() {
        [] if is_new => return "the same hardware, reinstalled".to_string(),
        [] => return format!("the same machine; changed: {}", labels(image.into_iter())),
        [one] if card(one) && (one.change == Change::Changed || new_card) => {
            "the same machine with a replaced network card".to_string()
        }
        [one] if card(one) => "the same machine with one network card fewer".to_string(),
        _ => format!(
            "some hardware values are the same; changed: {}",
            labels(hardware.iter().copied())
        ),
    };
    if image.is_empty() { first } else { format!("{first}; also: {}", labels(image.into_iter())) }
}

/// Returns the kind, and the name if a machine may have several of that kind: `network-address
/// eth1`.
pub fn label(kind: FactorKind, name: &str) -> String {
    let several =
        matches!(kind, FactorKind::NetworkAddress | FactorKind::DiskSerial | FactorKind::Pin);
    match name {
        name if several && !name.is_empty() => format!("{kind} {}", shown(name)),
        _ => kind.to_string(),
    }
}

fn label_of(line: &Line) -> String {
    label(line.kind, line.name())
}

fn labels<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    lines.map(label_of).collect::<Vec<_>>().join(", ")
}

/// Describes what happened to one factor.
fn event(line: &Line) -> String {
    let name = shown(line.name());
    if let Some(reason) = line.reason {
        return match reason.is_privilege() {
            true => format!("{} {reason}", line.kind),
            false => format!("{} cannot be read now", line.kind),
        };
    }
    match (line.kind, line.change) {
        (FactorKind::NetworkAddress, Change::Changed) => {
            format!("the network card {name} was replaced")
        }
        (FactorKind::Hostname, Change::Changed) => "the host was renamed".to_string(),
        (FactorKind::Filesystem, Change::Changed) => {
            "the root filesystem is a different one".to_string()
        }
        (_, Change::Changed) => format!("{} changed", label_of(line)),
        _ => format!("{} is not found", label_of(line)),
    }
}

impl Assessment {
    /// Describes the factors that are known to be changed or missing.
    pub fn changed(&self) -> String {
        events(self.drift().into_iter().filter(|line| line.change != Change::Unreadable))
    }

    /// Returns one next step, or `None` if no enrolled factor is changed, missing or unreadable.
    pub fn next_step(&self) -> Option<NextStep> {
        let drift = self.drift();
        let unreadable = |line: &&Line| line.change == Change::Unreadable;
        if drift.is_empty() {
            return None;
        }
        if self.is_hidden() || drift.iter().all(unreadable) {
            return Some(look_as_root("run as root", drift.into_iter().filter(unreadable)));
        }
        let is_a_copy = looks_like_a_copy(&self.lines);
        if is_a_copy && drift.iter().any(|l| unreadable(l) && l.class == Class::Hardware) {
            let why = "run as root to tell whether this is a copy";
            return Some(look_as_root(why, drift.into_iter().filter(unreadable)));
        }
        if let Some(send) = &self.asked {
            let step = format!("{}: {send}, and import the answer", events(drift.into_iter()));
            return Some(NextStep::new(step, &[Remedy::ImportLicense]));
        }
        if self.matches() && !is_a_copy {
            let what = self.changed();
            let step = format!("{what}: ask for a new license while this one still matches");
            return Some(NextStep::new(step, &[Remedy::Renew]));
        }
        let keeps_hardware = self.kept().iter().any(|line| line.class == Class::Hardware);
        let step = if self.kept().is_empty() {
            "this looks like another machine: make a new request here".into()
        } else if is_a_copy && keeps_hardware {
            "only serial numbers of the hardware are the same, as on a copy: make a new request here"
                .into()
        } else if is_a_copy || self.hardware_missing {
            "no hardware value is the same, as on a copy: make a new request here".into()
        } else {
            format!("{}: make a new request on this machine", events(drift.into_iter()))
        };
        Some(NextStep::new(step, &[Remedy::MakeRequest]))
    }

    /// Describes how many points may still be lost, and which change would be one too many.
    pub fn room_left(&self) -> String {
        let drift = self.drift();
        let is_alike = |line: &Line| drift.iter().any(|other| other.kind == line.kind);
        let then = match self.breaking() {
            Some(line) if is_alike(line) => {
                let what = label_of(line);
                format!("if {what} changes in the same way, the license no longer matches")
            }
            Some(line) => {
                format!("if {} changes too, the license no longer matches", label_of(line))
            }
            None => "any one other value may still change".to_string(),
        };
        let points = if self.room() == 1 { "point" } else { "points" };
        format!("{} {points} may still be lost: {then}", self.room())
    }
}

/// Next step for unreadable factors. Some are not read by root either, unless a privileged run is
/// requested.
fn look_as_root<'a>(step: &str, hidden: impl Iterator<Item = &'a Line>) -> NextStep {
    let (mut remedies, mut events, mut root_helps) = (&[][..], Vec::new(), false);
    for line in hidden {
        root_helps |= line.reason.is_none_or(Reason::is_privilege);
        if line.reason == Some(Reason::NeedsPrivileged) {
            remedies = &[Remedy::ReadPrivileged];
        }
        events.push(event(line));
    }
    let step =
        if root_helps { step } else { "try again, or look in the system log for the reason" };
    NextStep::new(format!("{step}: {}", events.join(", ")), remedies)
}

/// Describes the first two events and counts the rest, which the table shows.
fn events<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let all: Vec<_> = lines.map(event).collect();
    let rest = all.len().saturating_sub(2);
    let mut text = all.into_iter().take(2).collect::<Vec<_>>().join(" and ");
    if rest > 0 {
        text += &format!(" (and {rest} more)");
    }
    text
}
