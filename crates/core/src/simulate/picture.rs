//! A timeline as a picture: one self-contained SVG file.

use std::fmt::Write;

use crate::display::{shown, wrapped};
use crate::judge::Condition;
use crate::simulate::{Entry, Timeline};
use crate::time::{DAY, Day, Instant};

const WIDTH: f64 = 960.0;
/// Left and right edge of the bar.
const BAR: (f64, f64) = (104.0, 124.0);
/// Left edge of the text.
const WORDS: f64 = 176.0;
const TOP: f64 = 72.0;
const LINE: f64 = 18.0;
/// Distance between two entries.
const GAP: f64 = 14.0;
/// Approximate width of a character.
const LETTER: f64 = 7.2;
/// Number of characters in a line.
const COLUMNS: usize = 106;
/// Minimum height of the bar, so that short periods are visible.
const LEAST: f64 = 240.0;
const HOUR: u64 = 3600;

/// An entry with its position.
struct Row<'a> {
    entry: &'a Entry,
    lines: Vec<String>,
    /// Upper edge of its text.
    top: f64,
}

/// Draws `timeline` under a title. Escapes all text.
pub fn picture(timeline: &Timeline, title: &str) -> String {
    let mut top = TOP;
    let row = |entry| {
        let lines: Vec<_> =
            Entry::lines(entry).iter().flat_map(|line| wrapped(line, COLUMNS)).collect();
        let row = Row { entry, lines, top };
        top += LINE * (1.0 + row.lines.iter().map(|_| 1.0).sum::<f64>()) + GAP;
        row
    };
    let rows: Vec<_> = timeline.entries.iter().map(row).collect();
    let bottom = top.max(TOP + LEAST);
    let begin = timeline.entries.first().map_or(timeline.until, |entry| entry.at);
    let axis = Axis { begin, end: timeline.until, bottom };
    let (height, span) = (bottom + 56.0, format!("{begin} to {}", timeline.until));
    let (title, span) = (escaped(title), escaped(&span));
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>{title}</title>
<style>{}</style>
<rect class="paper" x="0.5" y="0.5" width="{}" height="{}" rx="8"/>
<text class="ink" x="16" y="30" font-size="18" font-weight="bold">{title}</text>
<text class="soft" x="16" y="50">{span}</text>
"#,
        style(),
        WIDTH - 1.0,
        height - 1.0
    );
    axis.draw_bar(&rows, &mut svg);
    axis.draw_ticks(&mut svg);
    rows.iter().for_each(|row| draw(row, &axis, &mut svg));
    legend(&rows, bottom + 34.0, &mut svg);
    svg += "</svg>\n";
    svg
}

/// Vertical axis from the first instant to the last.
struct Axis {
    begin: Instant,
    end: Instant,
    bottom: f64,
}

impl Axis {
    fn place(&self, at: Instant) -> f64 {
        let since = |at: Instant| at.seconds.saturating_sub(self.begin.seconds) as f64;
        TOP + (self.bottom - TOP) * (since(at) / since(self.end).max(1.0)).min(1.0)
    }

    fn draw_bar(&self, rows: &[Row<'_>], svg: &mut String) {
        let ends = rows.iter().skip(1).map(|row| row.entry.at).chain([self.end]);
        for (row, end) in rows.iter().zip(ends) {
            let (from, to) = (self.place(row.entry.at), self.place(end));
            let (x, width) = (BAR.0, BAR.1 - BAR.0);
            // A short period is drawn as a hairline, unless the next entry is at the same instant.
            let height = if end == row.entry.at { 0.0 } else { (to - from).max(1.5) };
            let condition = row.entry.condition.word();
            add(
                svg,
                format_args!(
                    r#"<rect class="{condition}" x="{x}" y="{from:.1}" width="{width}" height="{height:.1}" fill="currentColor"/>"#
                ),
            );
        }
    }

    fn draw_ticks(&self, svg: &mut String) {
        let mut lowest = f64::MIN;
        for (at, label) in self.ticks() {
            let y = self.place(at);
            if y < lowest + LINE || at < self.begin || at > self.end {
                continue;
            }
            lowest = y;
            let (x, x2, base) = (BAR.0 - 6.0, BAR.0, y + 4.0);
            let label = escaped(&label);
            add(
                svg,
                format_args!(
                    r#"<path class="line" d="M{x} {y:.1}H{x2}"/><text class="soft" x="94" y="{base:.1}" text-anchor="end" font-size="11">{label}</text>"#
                ),
            );
        }
    }

    /// Returns the ticks of a calendar, from ten minutes to years apart, depending on the length of
    /// the timeline.
    fn ticks(&self) -> Vec<(Instant, String)> {
        let span = self.end.seconds.saturating_sub(self.begin.seconds);
        let every = |step: u64, label: fn(Instant) -> String| -> Vec<_> {
            let first = self.begin.seconds.div_ceil(step);
            let at = (0..64).map(|n| Instant::new(first.saturating_add(n).saturating_mul(step)));
            at.map(|at| (at, label(at))).collect()
        };
        let day = |at: Instant| at.day().to_string();
        // Without the year, which is in the line below the title: there is no room for it here.
        let hour =
            |at: Instant| at.to_string().replace('T', " ").chars().skip(5).take(11).collect();
        match span {
            0..=3600 => every(600, hour),
            3601..=43_200 => every(HOUR, hour),
            43_201..=172_800 => every(HOUR.saturating_mul(6), hour),
            172_801..=1_728_000 => every(DAY, day),
            1_728_001..=8_640_000 => every(DAY.saturating_mul(7), day),
            _ => self.calendar(span),
        }
    }

    /// Returns the first days of months or years.
    fn calendar(&self, span: u64) -> Vec<(Instant, String)> {
        let year = |at: Instant| -> u32 {
            at.day()
                .to_string()
                .split('-')
                .next()
                .and_then(|year| year.parse().ok())
                .unwrap_or(9999)
        };
        let (first, last) = (year(self.begin), year(self.end));
        let years = u32::try_from(span.div_ceil(DAY.saturating_mul(366))).unwrap_or(u32::MAX);
        let step = |wanted: u32| usize::try_from(wanted.max(1)).unwrap_or(usize::MAX);
        let months: Vec<u32> = match years {
            0..=1 => (1..=12).collect(),
            2..=3 => vec![1, 4, 7, 10],
            _ => vec![1],
        };
        let of_year = |year: u32| {
            months.iter().map(move |month| format!("{year:04}-{month:02}-01")).collect::<Vec<_>>()
        };
        let years = (first..=last).step_by(step(years.div_ceil(20)));
        let days = years.flat_map(of_year).filter_map(|text| text.parse::<Day>().ok());
        days.filter_map(|day| Some((day.to_string().parse::<Instant>().ok()?, day.to_string())))
            .collect()
    }
}

/// Draws the instant, the condition and the changes, with a line from the bar.
fn draw(row: &Row<'_>, axis: &Axis, svg: &mut String) {
    let (from, to) = (axis.place(row.entry.at), row.top + LINE * 0.7);
    let (bar, near, words) = (BAR.1, BAR.1 + 10.0, WORDS);
    let (elbow, end, chip) = (words - 26.0, words - 16.0, words - 12.0);
    let (chip_top, base) = (to - 5.0, to + 4.5);
    let when = escaped(&row.entry.at.to_string());
    let condition = row.entry.condition.word();
    add(
        svg,
        format_args!(
            r#"<path class="{condition}" d="M{bar} {from:.1}H{near}L{elbow} {to:.1}H{end}" fill="none" stroke="currentColor"/><rect class="{condition}" x="{chip}" y="{chip_top:.1}" width="10" height="10" rx="2" fill="currentColor"/>"#
        ),
    );
    let x = words + 6.0;
    add(
        svg,
        format_args!(
            r#"<text class="ink" x="{x}" y="{base:.1}"><tspan font-weight="bold">{when}</tspan> <tspan class="{condition}" fill="currentColor" font-weight="bold">{condition}</tspan></text>"#
        ),
    );
    let mut y = base;
    for line in &row.lines {
        y += LINE;
        let line = escaped(line);
        add(svg, format_args!(r#"<text class="ink" x="{x}" y="{y:.1}">{line}</text>"#));
    }
}

/// Draws the colours that occur, with their words.
fn legend(rows: &[Row<'_>], y: f64, svg: &mut String) {
    let mut x = 16.0;
    for condition in Condition::ALL {
        if rows.iter().any(|row| row.entry.condition == condition) {
            let (word, top, words) = (condition.word(), y - 10.0, x + 18.0);
            add(
                svg,
                format_args!(
                    r#"<rect class="{word}" x="{x:.1}" y="{top:.1}" width="12" height="12" rx="2" fill="currentColor"/><text class="soft" x="{words:.1}" y="{y:.1}">{word}</text>"#
                ),
            );
            x = words + word.chars().map(|_| LETTER).sum::<f64>() + 20.0;
        }
    }
}

/// Colours on light and on dark paper. The word always appears next to the colour, for prints in
/// black and white.
fn colours(condition: Condition) -> [&'static str; 2] {
    match condition {
        Condition::InEffect => ["#2e7d32", "#66bb6a"],
        Condition::Warned => ["#827717", "#d4e157"],
        Condition::Grace => ["#b26a00", "#ffb74d"],
        Condition::Countdown => ["#d84315", "#ff8a65"],
        Condition::Blocked => ["#6a1b9a", "#ce93d8"],
        Condition::Stopped => ["#b71c1c", "#ef5350"],
        Condition::Off => ["#757575", "#9e9e9e"],
    }
}

/// Style sheet, light or dark like the reader's screen; light if that is unknown.
fn style() -> String {
    let rules = |paper: &str, border: &str, ink: &str, soft: &str, which: usize| {
        let condition = |condition: Condition| {
            let colour = colours(condition).into_iter().nth(which).unwrap_or("#757575");
            format!(".{}{{color:{colour}}}", condition.word())
        };
        format!(
            ".paper{{fill:{paper};stroke:{border}}}.line{{stroke:{soft}}}.ink{{fill:{ink}}}.soft{{fill:{soft}}}{}",
            Condition::ALL.map(condition).concat()
        )
    };
    let light = rules("#ffffff", "#dadce0", "#202124", "#5f6368", 0);
    let dark = rules("#1f2023", "#3c4043", "#e8eaed", "#9aa0a6", 1);
    format!("{light}@media(prefers-color-scheme:dark){{{dark}}}")
}

fn add(svg: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string never fails.
    let _ = writeln!(svg, "{line}");
}

/// Escapes text for an SVG element, including characters that mislead readers.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
