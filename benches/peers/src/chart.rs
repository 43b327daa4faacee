//! Bar charts in SVG, readable on a light and on a dark page.

/// One bar.
pub struct Bar<'a> {
    pub label: &'a str,
    pub value: f64,
    /// What is written after the bar.
    pub text: String,
}

const WIDTH: f64 = 720.0;
const LABELS: f64 = 220.0;
/// Room after the longest bar, for its text.
const TEXT: f64 = 150.0;
const LINE: usize = 24;
const STYLE: &str = "\
text { font: 13px sans-serif; fill: #24292f; }
.title { font-weight: bold; }
.label { text-anchor: end; }
rect { fill: #8c959f; }
.olr { fill: #1f6feb; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  rect { fill: #6e7681; }
  .olr { fill: #58a6ff; }
}";

/// A chart of `bars`, with a sentence above them. The bars of olr have a color.
pub fn chart(title: &str, bars: &[Bar<'_>]) -> String {
    let height = LINE * (bars.len() + 1) + 16;
    let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>{0}</title>\n<style>\n{STYLE}\n</style>\n\
         <text class=\"title\" x=\"8\" y=\"20\">{0}</text>\n",
        escaped(title),
    );
    for (number, Bar { label, value, text }) in bars.iter().enumerate() {
        let top = LINE * (number + 1) + 10;
        let baseline = top + 13;
        let long = value / longest * (WIDTH - LABELS - TEXT);
        let class = if label.starts_with("olr") { " class=\"olr\"" } else { "" };
        svg += &format!(
            "<text class=\"label\" x=\"{:.0}\" y=\"{baseline}\">{}</text>\n\
             <rect{class} x=\"{LABELS}\" y=\"{top}\" width=\"{long:.1}\" height=\"17\"/>\n\
             <text x=\"{:.1}\" y=\"{baseline}\">{}</text>\n",
            LABELS - 8.0,
            escaped(label.trim()),
            LABELS + long + 6.0,
            escaped(text),
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
