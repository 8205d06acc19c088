using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Neural;

namespace OKLA.ML.Models.Recommenders;

/// <summary>Two towers: one reads the tokens of the person's items, the other an item and its tokens; learned by sampled softmax on what people met next.</summary>
internal sealed class TowerPart : RecommenderPart
{
    public const string Key = "two-tower";
    private readonly TwoTowerModel towers;

    private TowerPart(TwoTowerModel towers, float[] vectors)
        : base(towers.Dimension, vectors) => this.towers = towers;

    public override string Name => Key;

    /// <summary>Null when there is nothing to learn from.</summary>
    public static TowerPart? Fit(TrainingCuts cuts, ContentIndex content, RecommenderKnobs knobs, int threads, IProgress<TrainingProgress>? progress, CancellationToken ct)
    {
        if (cuts.Pairs == 0 || content.Tokens == 0)
        {
            return null;
        }

        var people = SparseMatrix.FromTriples(
            cuts.All.Count, content.Tokens, [.. cuts.All.SelectMany((cut, row) => cut.Earlier.Tokens.Select((token, t) => (row, token, cut.Earlier.Weights[t])))]);
        var later = SparseMatrix.FromTriples(cuts.All.Count, content.Items, [.. cuts.All.SelectMany((cut, row) => cut.Later.Select(item => (row, item, 1f)))]);
        // A small catalogue gives few steps a pass: smaller batches, so that there are some dozens all the same.
        var batch = Math.Clamp(later.Count / 40, 32, 512);
        var options = new TwoTowerOptions
        {
            Dimension = knobs.TowerDimension, EmbeddingDimension = knobs.TowerDimension, Hidden = knobs.TowerHidden > 0 ? [knobs.TowerHidden] : [], UserIds = false, History = false,
            UnknownShare = 0.3f, Iterations = knobs.TowerIterations, ValidationShare = 0.1, Patience = 4, BatchSize = batch, Seed = knobs.Seed, Threads = threads,
        };
        var learned = TwoTower.Fit(later, options, new TowerFeatures { Bags = people }, new TowerFeatures { Bags = content.Matrix() }, null, progress, ct).WithoutUsers();
        return new TowerPart(learned, learned.ItemVectors.ToArray());
    }

    public override float[]? Person(PersonTaste taste) => taste.Tokens.Length == 0 ? null : towers.UserVector([], taste.Tokens, weights: taste.Weights);

    public override RecommenderPart With(NewItems added)
    {
        var vectors = Extended(added.Items.Count);
        for (var item = added.First; item < added.Content.Items; item++)
        {
            var (tokens, weights) = added.Content.Bag(item);
            towers.ItemVector(tokens, weights: weights).CopyTo(vectors, item * Dimension);
        }

        return new TowerPart(towers, vectors);
    }

    public override void Save(BinaryWriter writer)
    {
        writer.Flush();
        towers.Save(writer.BaseStream);
    }

    public static TowerPart Load(BinaryReader reader)
    {
        var towers = TwoTowerModel.Load(reader.BaseStream);
        return new TowerPart(towers, towers.ItemVectors.ToArray());
    }
}
