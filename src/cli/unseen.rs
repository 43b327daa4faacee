//! Reads a line without echo. However the prompt ends, the terminal is restored.

use std::io;

/// Asks on the terminal. Ctrl-C ends this program as usual.
#[cfg(not(unix))]
pub fn ask(prompt: &str) -> io::Result<String> {
    rpassword::prompt_password(prompt)
}

/// Asks on the terminal. Ctrl-C ends this program as usual.
///
/// `rpassword` disables the echo too, but raises the signal before restoring it, which would leave
/// the shell without echo. So it only reads here.
#[cfg(unix)]
pub fn ask(prompt: &str) -> io::Result<String> {
    use rustix::process::{Signal, getpid, kill_process};
    use std::fs::OpenOptions;
    use std::io::Write;

    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let typed = {
        let unseen = unix::Unseen::new(&terminal)?;
        (&terminal).write_all(prompt.as_bytes())?;
        let config = rpassword::ConfigBuilder::new();
        let config = config.input_reader(unseen.reader()?).output_discard().build();
        rpassword::read_password_with_config(config)
    };
    (&terminal).write_all(b"\n")?;
    if typed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        kill_process(getpid(), Signal::INT)?;
    }
    typed
}

#[cfg(unix)]
mod unix {
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };
    use std::fs::File;
    use std::io::{self, Read};

    /// While this value lives, the terminal neither echoes nor sends signals.
    pub struct Unseen<'a> {
        terminal: &'a File,
        before: Termios,
    }

    /// Reader of the typed line, which ends at the interrupt key.
    pub struct Typed {
        terminal: File,
        interrupt: u8,
    }

    impl<'a> Unseen<'a> {
        pub fn new(terminal: &'a File) -> io::Result<Self> {
            let before = tcgetattr(terminal)?;
            let mut now = before.clone();
            let seen = LocalModes::ECHO | LocalModes::ECHONL;
            now.local_modes.remove(seen | LocalModes::ICANON | LocalModes::ISIG);
            now.special_codes[SpecialCodeIndex::VMIN] = 1;
            now.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(terminal, OptionalActions::Now, &now)?;
            Ok(Self { terminal, before })
        }

        pub fn reader(&self) -> io::Result<Typed> {
            let interrupt = self.before.special_codes[SpecialCodeIndex::VINTR];
            Ok(Typed { terminal: self.terminal.try_clone()?, interrupt })
        }
    }

    impl Drop for Unseen<'_> {
        fn drop(&mut self) {
            let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
        }
    }

    impl Read for Typed {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.terminal.read(buffer)?;
            let typed = buffer.get(..len).unwrap_or_default();
            // A terminal without an interrupt key has 0 there.
            if typed.iter().any(|byte| *byte != 0 && [self.interrupt, 3].contains(byte)) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            Ok(len)
        }
    }
}
