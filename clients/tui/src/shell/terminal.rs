//! The terminal: taken over, and given back whatever happens.

use std::io::{self, Stdout, Write as _, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::execute;
use crossterm::style::Print;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::state::State;
use crate::view::{sequences, view};

/// The terminal leaves the order of cells to this program (`text::visual`), and takes it back.
const BIDI: (&str, &str) = ("\u{1b}[8l", "\u{1b}[8h");
/// kitty: all pictures are gone.
const NO_PICTURES: &str = "\u{1b}_Ga=d,q=2\u{1b}\\";

static PANICKED: AtomicBool = AtomicBool::new(false);

/// The terminal, while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: bool,
    hung: Vec<(Rect, u64)>,
}

impl Screen {
    /// Takes the terminal over.
    pub fn enter() -> io::Result<Self> {
        restore_on_panic();
        enable_raw_mode()?;
        // From here on it is given back when this is dropped.
        let mut screen = Self {
            terminal: Terminal::new(CrosstermBackend::new(stdout()))?,
            mouse: false,
            hung: Vec::new(),
        };
        execute!(
            stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            SetTitle("Parlor"),
            Print(BIDI.0)
        )?;
        screen.terminal.clear()?;
        Ok(screen)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let size = self.terminal.size().unwrap_or_default();
        (size.width, size.height)
    }

    /// Draws all that is shown.
    pub fn draw(&mut self, state: &State) -> io::Result<()> {
        let pictures = sequences(state);
        let places: Vec<_> = pictures.iter().map(|(place, bytes)| (*place, sum(bytes))).collect();
        let moved = places != self.hung;
        if moved && !self.hung.is_empty() {
            write!(stdout(), "{NO_PICTURES}")?;
            self.terminal.clear()?;
        }
        self.terminal.draw(|frame| view(state, frame))?;
        if moved {
            for (place, bytes) in pictures {
                write!(stdout(), "\u{1b}7\u{1b}[{};{}H{bytes}\u{1b}8", place.y + 1, place.x + 1)?;
            }
            stdout().flush()?;
            self.hung = places;
        }
        Ok(())
    }

    /// Whether the mouse is used.
    pub fn mouse(&mut self, wanted: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.mouse, wanted) != wanted {
            if wanted {
                execute!(stdout(), EnableMouseCapture)?;
            } else {
                execute!(stdout(), DisableMouseCapture)?;
            }
        }
        Ok(())
    }

    /// Rings.
    pub fn bell(&mut self) -> io::Result<()> {
        execute!(stdout(), Print('\u{7}'))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether a task has panicked. The terminal is restored then, and nothing more may be drawn.
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::Relaxed)
}

fn sum(bytes: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Whatever cannot be undone any more is as good as undone: the terminal may be gone.
fn restore() {
    let _ = execute!(
        stdout(),
        Print(BIDI.1),
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        crossterm::cursor::Show
    );
    let _ = disable_raw_mode();
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICKED.store(true, Ordering::Relaxed);
            restore();
            before(panic);
        }));
    });
}
