//! Text with percent escapes, as URLs and forms carry it: rules read it decoded, and what they find is replaced
//! in the text as it was.

use super::judged::Judged;
use super::rules::Rules;
use super::text::{Edit, Scanner, settle};

/// Adds the edits that show in the decoded text.
pub(super) fn scan(rules: &Rules, judged: &mut Judged, text: &[u8], edits: &mut Vec<Edit>) {
    let mut decoded = Vec::with_capacity(text.len());
    // Where each decoded byte stood, and the end of the text.
    let mut places: Vec<u32> = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        places.push(at as u32);
        match (
            byte,
            text.get(at + 1).and_then(|high| digit(*high)),
            text.get(at + 2).and_then(|low| digit(*low)),
        ) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    places.push(text.len() as u32);
    let mut hits = Vec::new();
    rules.find(&decoded, &mut hits);
    let mut found = Vec::new();
    Scanner::run(rules, judged, &decoded, &hits, 0, &mut found);
    let place = |at: usize| places.get(at).map_or(text.len(), |place| *place as usize);
    edits.extend(found.iter().map(|edit| Edit {
        start: place(edit.start),
        end: place(edit.end),
        label: edit.label,
        wrap: None,
    }));
    settle(edits);
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}
