using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;
using Split = OKLA.ML.Algorithms.Evaluation.Split;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>One parting of the training rows: rows to learn from and rows held out, with the features that the former give.</summary>
internal sealed class Fold
{
    private readonly Lazy<(BinnedDataset Train, BinnedDataset Held)> _bins;

    public Fold(ReadRows rows, IReadOnlyList<string> textNames, float[] y, Split split, AutomaticOptions options, int seed)
    {
        Rows = split;
        TrainY = Array.ConvertAll(split.Train, r => y[r]);
        HeldY = Array.ConvertAll(split.Test, r => y[r]);
        (Features, Train) = FoldFeatures.Fit(rows.Select(split.Train), textNames, TrainY, options, seed);
        Held = Features.Transform(rows.Select(split.Test));
        _bins = new(() =>
        {
            var binned = BinnedDataset.Fit(Train, Learners.Bins(Train.ColumnCount), 1);
            return (binned, binned.Apply(Held, 1));
        });
    }

    public Split Rows { get; }

    public FoldFeatures Features { get; }

    public Dataset Train { get; }

    public Dataset Held { get; }

    public float[] TrainY { get; }

    public float[] HeldY { get; }

    /// <summary>The same tables in bins, made when first asked for and shared by all that boost.</summary>
    public (BinnedDataset Train, BinnedDataset Held) Bins => _bins.Value;

    /// <summary>Whether there is nothing to tell apart in it.</summary>
    public bool HasOneClass(AutomaticOptions o) => !o.IsRegression && TrainY.All(c => c == TrainY[0]);

    /// <summary>A part of the rows to learn from, when they are more than <paramref name="most"/>.</summary>
    public (Dataset Table, float[] Y) Sample(int most, int seed)
    {
        if (TrainY.Length <= most) return (Train, TrainY);
        var rows = RandomSource.For(seed, 0, 21).Sample(TrainY.Length, most);
        return (Train.Select(rows), Array.ConvertAll(rows, r => TrainY[r]));
    }
}

/// <summary>What one fold learned: answers rows × outputs (numbers as they were learned, P(1), or one probability a class).</summary>
internal interface IFoldModel
{
    public float[] Predict(Dataset x, int threads);

    /// <summary>Prepares sums of what each column adds, of numbers and two classes; <paramref name="background"/> is what linear models compare with.</summary>
    public Func<Dataset, FoldParts> Explainer(Dataset background);

    public void Write(BinaryWriter writer);
}

/// <summary>A way to learn from one fold; <paramref name="threads"/> is what it may take of the machine, and once <paramref name="enough"/> says so it answers what it has.</summary>
internal delegate IFoldModel Learner(Fold fold, int threads, Func<bool> enough);
