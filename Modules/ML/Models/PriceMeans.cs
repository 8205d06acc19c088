using System.Runtime.InteropServices;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Models;

/// <summary>
/// Mean log prices of an ad's make, model, model year and words: target encodings, each level drawn towards the wider one
/// (Micci-Barreca 2001). A training row gets them from the other folds, so that no ad sees its own price.
/// </summary>
internal sealed class PriceMeans
{
    private const int Folds = 5;

    /// <summary>Ads that a key needs before its own mean counts as much as the wider one's.</summary>
    private const double Prior = 3;

    /// <summary>The same for a word.</summary>
    private const double WordPrior = 10;

    private readonly Dictionary<string, (double Sum, int Ads)> levels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (double Sum, int Ads)> words = new(StringComparer.Ordinal);
    private double sum;
    private int ads;

    /// <summary>Learns from all rows.</summary>
    public static PriceMeans Fit(IReadOnlyList<PriceFeatures> rows, IReadOnlyList<double> logUsd)
    {
        var means = new PriceMeans();
        for (var i = 0; i < rows.Count; i++)
        {
            means.Add(rows[i], logUsd[i], 1);
        }

        return means;
    }

    /// <summary>The columns of rows that were not learned from.</summary>
    public Column[] Transform(IReadOnlyList<PriceFeatures> rows) => Columns([.. rows.Select(Encode)]);

    /// <summary>The columns of the rows that were learned from, each from the other folds.</summary>
    public Column[] TransformTraining(IReadOnlyList<PriceFeatures> rows, IReadOnlyList<double> logUsd, int seed)
    {
        var fold = new int[rows.Count];
        var random = new Random(seed);
        for (var i = 0; i < fold.Length; i++)
        {
            fold[i] = random.Next(Folds);
        }

        var encoded = new float[rows.Count][];
        for (var f = 0; f < Folds; f++)
        {
            var inside = Enumerable.Range(0, rows.Count).Where(i => fold[i] == f).ToArray();
            foreach (var i in inside)
            {
                Add(rows[i], logUsd[i], -1);
            }

            foreach (var i in inside)
            {
                encoded[i] = Encode(rows[i]);
            }

            foreach (var i in inside)
            {
                Add(rows[i], logUsd[i], 1);
            }
        }

        return Columns(encoded);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(sum);
        writer.Write(ads);
        foreach (var table in new[] { levels, words })
        {
            writer.Write(table.Count);
            foreach (var (key, (total, count)) in table.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                writer.Write(key);
                writer.Write(total);
                writer.Write(count);
            }
        }
    }

    public static PriceMeans Load(BinaryReader reader)
    {
        var means = new PriceMeans { sum = reader.ReadDouble(), ads = reader.ReadInt32() };
        foreach (var table in new[] { means.levels, means.words })
        {
            for (var left = reader.ReadInt32(); left > 0; left--)
            {
                table.Add(reader.ReadString(), (reader.ReadDouble(), reader.ReadInt32()));
            }
        }

        return means;
    }

    private static Column[] Columns(float[][] encoded)
    {
        string[] names = [.. PriceFeatures.LevelNames, "ads_model_year", "word_mean", "word_max", "word_min"];
        return [.. names.Select((name, c) => Column.Numeric(name, Array.ConvertAll(encoded, row => row[c])))];
    }

    private void Add(PriceFeatures row, double logUsd, int sign)
    {
        sum += sign * logUsd;
        ads += sign;
        foreach (var key in row.Levels())
        {
            Add(levels, key, logUsd, sign);
        }

        foreach (var word in row.Words.Distinct())
        {
            Add(words, word, logUsd, sign);
        }
    }

    private static void Add(Dictionary<string, (double Sum, int Ads)> table, string key, double value, int sign)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(table, key, out _);
        entry = (entry.Sum + sign * value, entry.Ads + sign);
    }

    private float[] Encode(PriceFeatures row)
    {
        var keys = row.Levels();
        var encoded = new float[keys.Length + 4];
        var mean = ads > 0 ? sum / ads : 0;
        var overall = mean;
        for (var i = 0; i < keys.Length; i++)
        {
            var (total, count) = levels.GetValueOrDefault(keys[i]);
            mean = (total + Prior * mean) / (count + Prior);
            encoded[i] = (float)mean;
        }

        encoded[keys.Length] = levels.GetValueOrDefault(keys[^1]).Ads;
        var (n, low, high, all) = (0, double.PositiveInfinity, double.NegativeInfinity, 0.0);
        foreach (var word in row.Words)
        {
            var (total, count) = words.GetValueOrDefault(word);
            var value = (total + WordPrior * overall) / (count + WordPrior);
            (n, low, high, all) = (n + 1, Math.Min(low, value), Math.Max(high, value), all + value);
        }

        encoded[keys.Length + 1] = n == 0 ? float.NaN : (float)(all / n);
        encoded[keys.Length + 2] = n == 0 ? float.NaN : (float)high;
        encoded[keys.Length + 3] = n == 0 ? float.NaN : (float)low;
        return encoded;
    }
}
