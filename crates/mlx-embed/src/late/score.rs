//! How well documents answer queries, by the vectors of their tokens. Follows sentence_transformers.util.similarity's maxsim.

use crate::Embeddings;
use mlx_nn::{Error, Result};

/// Rows of documents that are multiplied with a query at once.
const ROWS: usize = 1 << 14;

/// For each query a row of `documents.len()` scores: for each token's vector its largest product with one of the document's,
/// and the sum of these.
///
/// Nothing is padded. A document without vectors scores lowest of all, [`f32::MIN`]; a query without vectors scores 0.
pub fn maxsim(queries: &[Embeddings], documents: &[Embeddings]) -> Result<Vec<f32>> {
    let dims = |all: &[Embeddings]| all.first().map(Embeddings::dims);
    let mut all = queries.iter().chain(documents);
    if let Some(first) = dims(queries).or(dims(documents))
        && let Some(other) = all.find(|embeddings| embeddings.dims() != first)
    {
        return Err(Error::msg(format!("Vectors of {first} and of {} numbers are not alike.", other.dims())));
    }
    let mut scores = vec![0.0; queries.len() * documents.len()];
    let mut at = 0;
    while at < documents.len() {
        let mut rows = 0;
        let fits = |document: &&Embeddings| {
            rows += document.len();
            rows <= ROWS
        };
        let count = documents[at..].iter().take_while(fits).count().max(1);
        let part = &documents[at..at + count];
        for (query, scores) in queries.iter().zip(scores.chunks_exact_mut(documents.len())) {
            score(query, part, &mut scores[at..at + count])?;
        }
        at += count;
    }
    Ok(scores)
}

fn score(query: &Embeddings, documents: &[Embeddings], scores: &mut [f32]) -> Result<()> {
    let values: Vec<f32> = documents.iter().flat_map(|document| document.values().iter().copied()).collect();
    let rows = values.len() / query.dims();
    let mut products = Vec::new();
    if rows > 0 && !query.is_empty() {
        let documents = Embeddings::new(values, query.dims())?;
        products = query.tensor()?.matmul(&documents.tensor()?.t()?)?.to_vec::<f32>()?; // (query, rows)
    }
    let mut at = 0;
    for (document, score) in documents.iter().zip(scores) {
        let of_token = |row: &[f32]| row[at..at + document.len()].iter().copied().fold(f32::MIN, f32::max);
        *score = match document.is_empty() {
            true => f32::MIN,
            false => products.chunks_exact(rows.max(1)).map(of_token).sum(),
        };
        at += document.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32]) -> Embeddings {
        Embeddings::new(values.to_vec(), 2).unwrap()
    }

    #[test]
    fn each_token_takes_its_best() {
        let queries = [rows(&[1.0, 0.0, 0.0, 1.0]), rows(&[-1.0, 0.0]), rows(&[])];
        let documents = [rows(&[0.5, 0.25, 0.0, 2.0]), rows(&[]), rows(&[3.0, -1.0])];
        let found = maxsim(&queries, &documents).unwrap();
        let lowest = f32::MIN;
        assert_eq!(found, [2.5, lowest, 2.0, 0.0, lowest, -3.0, 0.0, lowest, 0.0]);
        assert!(maxsim(&queries, &[]).unwrap().is_empty());
    }

    #[test]
    fn many_documents_are_taken_part_by_part() {
        let long = rows(&vec![0.5; 2 * ROWS + 2]);
        let short = rows(&[1.0, 1.0]);
        let found = maxsim(&[rows(&[1.0, 1.0])], &[short.clone(), long, short]).unwrap();
        assert_eq!(found, [2.0, 1.0, 2.0]);
        let wide = Embeddings::new(vec![1.0; 3], 3).unwrap();
        assert!(maxsim(&[rows(&[1.0, 1.0])], &[wide]).unwrap_err().to_string().contains('3'));
    }
}
