//! Words and pages: words that people try, and pages that messages refer to, are in the program.

use crate::words::World;
use crate::world::sources::all_sources;
use std::fs;

#[test]
fn other_words_lead_to_the_right_verb() {
    let world = World::new();
    for (word, verb) in [
        ("activate", "olr request"),
        ("activate", "olr import"),
        ("install", "olr import"),
        ("unlock", "olr request"),
        ("register", "olr request"),
        ("Validate", "olr verify"),
        ("version", "olr --version"),
        ("info", "olr status"),
        ("info", "olr inspect"),
    ] {
        let run = world.olr(&[word]);
        run.unable("unrecognized subcommand").hint(verb);
        let text = world.text(&[word, "license.olr"]);
        assert!(text.contains(verb) && !text.contains("deactivate"), "{word}: {text}");
    }
    // A misspelled verb is still recognized.
    assert!(world.text(&["verfy"]).contains("'verify'"));
}

#[test]
fn help_is_a_verb() {
    let world = World::new();
    for (args, says) in [
        (&["help"][..], "Usage: olr"),
        (&["help", "request"], "--licensee"),
        (&["help", "key", "new"], "--role"),
        (&["key", "help", "new"], "--role"),
    ] {
        let output = world.command(args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(says), "{args:?}: {text}");
    }
    assert_eq!(world.command(&["help", "nonsense"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn after_a_request_its_answer_is_awaited() {
    let world = World::new();
    world.olr(&["verify"]).refused("not-activated").hint("olr request");
    let code = world.request(&[]).done().json["code"].as_str().unwrap().to_string();
    for args in
        [&["verify"][..], &["status"], &["check", "OBM"], &["report", "OBM=1"], &["simulate"]]
    {
        let run = world.olr(args);
        run.refused("not-activated").hint("olr import license.olr");
        assert!(
            run.fact().contains(&format!("(code {code}) is waiting for its answer")),
            "{args:?}: {}",
            run.fact()
        );
        // Another request is suggested only if the file of this one is lost.
        run.hint("send its file to your vendor (if it is lost, make another request)");
    }
    world.issue(&[]).done();
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["verify", "--slot", "redirector"]).refused("not-activated").hint("--slot");
    world.olr(&["request", "--slot", "redirector", "--key", "k-2", "-o", "two.olr"]).done();
    world.olr(&["verify", "--slot", "redirector"]).refused("not-activated").hint("olr import");
    world.olr(&["deactivate", "--yes"]).done();
    world.olr(&["verify"]).refused("deactivated").hint("make a new request");
    world.olr(&["request", "--slot", "backup", "--key", "AbCd-1234"]).done();
    world.olr(&["verify"]).refused("deactivated").hint("olr import license.olr");
}

#[test]
fn a_request_is_named_by_its_number_and_code_whatever_became_of_its_file() {
    let world = World::activated();
    let awaits = |number: u64| {
        let step = format!("send the file of request {number} (code ");
        world.olr(&["verify"]).refused("deactivated").hint(&step);
        world.olr(&["status"]).refused("deactivated").hint("if it is lost, make another request");
    };
    world.olr(&["deactivate", "--yes"]).done();
    world.olr(&["request", "-o", "mine.olr"]).done();
    awaits(3);
    for (number, lost) in [(4, "nowhere/x"), (5, "/dev/full")] {
        let fact = format!("; request {number} was made, but not written");
        world.olr(&["request", "-o", lost]).unable(&fact).hint(", then run `olr request` again");
        awaits(number);
    }
}

#[test]
fn explain_shows_words_and_pages() {
    let world = World::new();
    let json = world.olr(&["explain"]).done().json.clone();
    for page in json["pages"].as_array().unwrap() {
        let text = world.olr(&["explain", page.as_str().unwrap()]).done().json["text"].to_string();
        assert!(text.len() > 2000, "{page}");
    }
    world.olr(&["explain", "Wrong Machine"]).done();
    world.olr(&["explain", "wrong-machin"]).unable("no word").hint("did you mean wrong-machine?");
    world.olr(&["explain", "catalogue"]).unable("no word").hint("did you mean catalog?");
}

/// Support staff have the program, but not its repository.
#[test]
fn no_message_names_a_page_of_the_repository() {
    let (mut seen, mut faults) = (0, Vec::new());
    for path in all_sources() {
        seen += 1;
        // Doc comments on arguments of the command line are its help.
        let is_help = path.starts_with("src/cli");
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let start = line.trim_start();
            let is_comment = start.starts_with("//!")
                || start.starts_with("///") && !is_help
                || start.starts_with("//") && !start.starts_with("///");
            let is_code = start.contains("include_str!(") || start.starts_with("#[doc");
            let is_named = line.contains("docs/") && !line.contains("contains(\"docs/");
            if is_named && !is_comment && !is_code {
                faults.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert!(seen > 150 && faults.is_empty(), "{seen} {faults:#?}");
}
