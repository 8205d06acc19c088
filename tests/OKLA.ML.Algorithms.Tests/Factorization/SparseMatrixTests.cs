using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Tests.Factorization;

public class SparseMatrixTests
{
    [Test]
    public void Repeated_entries_are_summed_and_columns_ascend()
    {
        var matrix = SparseMatrix.FromTriples(3, 4, [(2, 3, 1f), (0, 2, 5f), (2, 0, 2f), (2, 3, 0.5f)]);

        matrix.Count.ShouldBe(3);
        matrix.RowIndices(2).ToArray().ShouldBe([0, 3]);
        matrix.RowValues(2).ToArray().ShouldBe([2f, 1.5f]);
        matrix.RowCount(1).ShouldBe(0);
        matrix[0, 2].ShouldBe(5f);
        matrix[1, 2].ShouldBe(0f);
    }

    [Test]
    public void Any_entries_give_the_matrix_that_a_dictionary_would() => Prop.ForAll(
        Gen.Choose(0, 9).Two().Zip(Gen.Choose(-5, 5)).ArrayOf().ToArbitrary(),
        entries =>
        {
            var triples = entries.Select(e => (e.Item1.Item1, e.Item1.Item2, (float)e.Item2)).ToArray();
            var matrix = SparseMatrix.FromTriples(10, 10, triples);
            var expected = triples.GroupBy(t => (t.Item1, t.Item2)).ToDictionary(g => g.Key, g => g.Sum(t => t.Item3));
            bool same = matrix.Count == expected.Count && expected.All(e => matrix[e.Key.Item1, e.Key.Item2] == e.Value);
            var twice = matrix.Transpose().Transpose();
            return same && twice.Indices.SequenceEqual(matrix.Indices) && twice.Values.SequenceEqual(matrix.Values)
                && expected.All(e => matrix.Transpose()[e.Key.Item2, e.Key.Item1] == e.Value);
        }).QuickCheckThrowOnFailure();

    [Test]
    public void An_index_outside_or_a_value_that_is_not_finite_is_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => SparseMatrix.FromTriples(2, 2, [(2, 0, 1f)]));
        Should.Throw<ArgumentOutOfRangeException>(() => SparseMatrix.FromTriples(2, 2, [(0, -1, 1f)]));
        Should.Throw<ArgumentException>(() => SparseMatrix.FromTriples(2, 2, [(0, 0, float.NaN)]));
    }
}
