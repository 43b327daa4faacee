//! A guard that allows an action allocates no memory and reads no file. Only the text of a refusal
//! is allocated.

use crate::world::machine;
use crate::world::operations::CREATE_USER;

use olr::Home;
use olr::{Guard, GuardConfig};
use olr::{Operation, Question};
use olr_core::judge::Answer;
use olr_core::time::Instant;
use olr_core::wire::codec::{Limit, Set, Text};

use crate::world::NOW;
use crate::world::WORLD;
use crate::{TURN, peak};

#[test]
fn a_question_allocates_nothing_and_reads_no_file() {
    let _turn = TURN.lock();
    let now = NOW.parse::<Instant>().unwrap();
    let state = WORLD.installed(NOW, |body| {
        let one = body.grants[0].clone();
        let grant = |n: usize| {
            let pool = if n.is_multiple_of(2) { "pool" } else { "" };
            let [module, pool] = [&format!("m{n:04}"), pool].map(|text| Text::new(text).unwrap());
            olr_core::entitlement::Grant { module, pool, quota: Limit::Only(10), ..one.clone() }
        };
        body.grants = Set::new((0..4096).map(grant).collect()).unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    std::fs::create_dir(home.folder()).unwrap();
    for file in home.state_files() {
        std::fs::write(file, &*state.to_bytes()).unwrap();
    }
    let anchor: &'static [u8] = WORLD.vendor.trust.bytes().to_vec().leak();
    let guard = Guard::open(GuardConfig {
        clock: Box::new(move || now),
        look: Box::new(|at| machine::around("server", at)),
        ..GuardConfig::new(home.folder(), anchor, "example")
    })
    .unwrap();
    // With the folder gone, any attempt to read a file would fail.
    std::fs::remove_dir_all(home.folder()).unwrap();
    let (mut yes, mut no) = (0, 0);
    let used = peak(|| {
        for module in ["m0000", "m2048", "m4095"] {
            for more in [1, 10, 11, 20_480, 20_481] {
                let adds = [(module, more)];
                let question = Question { adds: &adds, ..Question::about(CREATE_USER) };
                let decision = guard.decision();
                let answer = decision.ask(&question);
                match answer {
                    Answer::Allowed => {
                        yes += 1;
                        guard.ask(&question).unwrap();
                    }
                    Answer::Exceeds { .. } => no += 1,
                    answer => panic!("{answer:?}"),
                }
            }
            guard.ask_admin(Operation::RUN, module, 1, 5).unwrap();
        }
    });
    assert_eq!((used, yes, no), (0, 10, 5));
    assert_eq!(guard.fault(), None);
    // Control: a refusal formats text, so the counter must see it allocate.
    let adds = [("none", 1)];
    let question = Question { adds: &adds, ..Question::about(CREATE_USER) };
    assert!(peak(|| drop(guard.ask(&question).unwrap_err())) > 0);
}
