//! A timestamp from the vendor sets a mark that is ahead back to the vendor's time. Of the time
//! since the request, it takes back at most 30 days.

use olr_core::error::Refusal;
use olr_core::time::Instant;

use crate::clock::{Server, at};
use crate::world::{NOW, World};

const DAY: u64 = 86_400;
/// Maximum part of the time since the request that a timestamp takes back: the files may have
/// travelled for that long.
const TRAVEL: u64 = 30 * DAY;

fn server(world: &World) -> Server<'_> {
    Server::new(world, &world.installed(NOW, |_| ()).to_bytes())
}

fn after(instant: Instant, seconds: u64) -> Instant {
    Instant::new(instant.seconds + seconds)
}

#[test]
fn a_time_that_was_kept_takes_nothing_back() {
    let world = World::new();
    for (drift, days) in [(0, 400), (0, 1), (3600, 400), (3600, 30), (3600, 31), (3 * DAY, 399)] {
        let mut server = server(&world);
        let time = server.around.clock;
        // The clock is ahead by `drift` when the request is made.
        server.pass(drift);
        server.verify();
        let kept = server.asked(time);
        server.pass(days * DAY);
        server.verify();
        let mark = server.state.memory().mark;
        assert!(server.state.accept_timestamp(&kept).unwrap());
        let taken_back = mark.seconds - server.state.memory().mark.seconds;
        let most = if drift == 0 { 0 } else { drift + (days * DAY).min(TRAVEL) };
        assert_eq!(taken_back, most, "{drift} {days}");
    }
}

/// Importing one of several timestamps that were collected in advance supersedes all the others.
#[test]
fn of_sixteen_times_that_were_kept_one_counts() {
    let world = World::new();
    for first in [0, 7, 15] {
        let mut server = server(&world);
        let time = server.around.clock;
        server.pass(3600);
        server.verify();
        let kept: Vec<_> = (0..16).map(|_| server.asked(time)).collect();
        server.pass(300 * DAY);
        server.verify();
        assert!(server.state.accept_timestamp(&kept[first]).unwrap());
        let mark = server.state.memory().mark;
        assert!(!server.state.accept_timestamp(&kept[first]).unwrap(), "the same bytes again");
        for (index, timestamp) in kept.iter().enumerate().filter(|(index, _)| *index != first) {
            let refusal = server.state.accept_timestamp(timestamp).unwrap_err().refusal();
            assert_eq!(refusal, Some(Refusal::Superseded), "{first} {index}");
        }
        assert_eq!(server.state.memory().mark, mark);
        // A timestamp for a later request is accepted.
        let time = after(mark, DAY);
        server.timestamp(time);
        assert_eq!(server.state.memory().mark, time);
    }
}

/// The clock showed 2099 and was believed after a week. It is either corrected, or stays wrong
/// until the answer arrives.
#[test]
fn a_mark_that_was_ahead_is_taken_back_however_long_the_files_travel() {
    let world = World::new();
    for (until_set_right, travel) in [(0, 0), (0, 3 * DAY), (3 * DAY, 3 * DAY), (0, 90 * DAY)] {
        let mut server = server(&world);
        let right = server.around.clock;
        server.around.evidence = Some(at("2098-06-01T00:00:00Z"));
        for step in ["boot=2099-01-01", "up8d", "boot", "up8d"] {
            server.step(step);
        }
        let ahead = server.state.memory().mark;
        assert!(ahead >= at("2099-01-01"), "{ahead}");
        server.around.evidence = None;
        let kept = server.asked(after(right, 16 * DAY));
        server.pass(until_set_right);
        server.verify();
        server.around.clock = after(right, 16 * DAY + travel);
        server.verify();
        assert_eq!(server.word, "clock-rolled-back");
        assert!(server.state.accept_timestamp(&kept).unwrap());
        server.verify();
        assert_eq!(server.word, "licensed", "{until_set_right} {travel}");
        assert_eq!(server.state.memory().mark, server.around.clock);
    }
}
