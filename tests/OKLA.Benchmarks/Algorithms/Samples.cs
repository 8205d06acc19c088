using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>Data drawn from a seed, the same in every run.</summary>
internal static class Samples
{
    /// <summary>Rows × columns of normal numbers, and a target that bends and jumps in a third of them, with noise.</summary>
    public static (float[] Rows, float[] Targets) Table(int rows, int columns, int seed = 1)
    {
        var random = new Random(seed);
        var x = new float[(long)rows * columns];
        var y = new float[rows];
        for (var r = 0; r < rows; r++)
        {
            var row = x.AsSpan(r * columns, columns);
            for (var c = 0; c < columns; c++) row[c] = Normal(random);
            var sum = 0.5f * Normal(random);
            for (var c = 0; c < columns / 3; c++) sum += c % 3 == 0 ? row[c] : c % 3 == 1 ? row[c] * row[c - 1] : row[c] > 0.5f ? 1 : 0;
            y[r] = sum;
        }

        return (x, y);
    }

    public static Dataset Columns(float[] rows, int columns) => Dataset.FromRowMajor(rows, columns);

    /// <summary>Users × items whose popularity falls as a power law; each user takes <paramref name="perUser"/> draws.</summary>
    public static SparseMatrix Interactions(int users, int items, int perUser, int seed = 1)
    {
        var random = new Random(seed);
        var (row, column) = (new int[users * perUser], new int[users * perUser]);
        var values = new float[row.Length];
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = i / perUser;
            column[i] = (int)(items * Math.Pow(random.NextDouble(), 2.5));
            values[i] = 1;
        }

        return SparseMatrix.FromTriples(users, items, row, column, values).Map((_, _, _) => 1);
    }

    /// <summary>Rows of one feature from each of some fields, and whether the hidden taste of the row likes them.</summary>
    public static (SparseMatrix Rows, float[] Targets) Fields(int rows, int fields, int perField, int seed = 1)
    {
        var random = new Random(seed);
        var taste = new float[fields * perField];
        for (var i = 0; i < taste.Length; i++) taste[i] = Normal(random);
        var (row, column, values, y) = (new int[rows * fields], new int[rows * fields], new float[rows * fields], new float[rows]);
        for (var r = 0; r < rows; r++)
        {
            var sum = Normal(random);
            for (var f = 0; f < fields; f++)
            {
                var feature = f * perField + random.Next(perField);
                (row[r * fields + f], column[r * fields + f], values[r * fields + f]) = (r, feature, 1);
                sum += taste[feature];
            }

            y[r] = sum > 0 ? 1 : 0;
        }

        return (SparseMatrix.FromTriples(rows, fields * perField, row, column, values), y);
    }

    /// <summary>Unit vectors around hidden directions, as learned embeddings lie.</summary>
    public static float[] Vectors(int count, int dimension, int seed = 1)
    {
        var random = new Random(seed);
        var centres = new float[64 * dimension];
        for (var i = 0; i < centres.Length; i++) centres[i] = Normal(random);
        var vectors = new float[(long)count * dimension];
        for (var v = 0; v < count; v++)
        {
            var centre = random.Next(64) * dimension;
            var vector = vectors.AsSpan(v * dimension, dimension);
            for (var i = 0; i < dimension; i++) vector[i] = 0.6f * centres[centre + i] + Normal(random);
            System.Numerics.Tensors.TensorPrimitives.Divide(vector, System.Numerics.Tensors.TensorPrimitives.Norm(vector), vector);
        }

        return vectors;
    }

    // Marsaglia's polar method would keep state; the sum of four uniform draws is near enough and fast.
    private static float Normal(Random random) => (random.NextSingle() + random.NextSingle() + random.NextSingle() + random.NextSingle() - 2) * 1.732f;
}
