using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Decomposition;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// Likeness of attributes and words: bags of tokens in the space of their leading singular vectors (latent semantic indexing, Deerwester et al. 1990),
/// of unit length; the person is the sum of their items.
/// </summary>
internal sealed class ContentPart : RecommenderPart
{
    public const string Key = "content";
    private readonly float[] axes;

    private ContentPart(int dimension, float[] vectors, float[] axes)
        : base(dimension, vectors) => this.axes = axes;

    public override string Name => Key;

    /// <summary>Null when the items' tokens have too few dimensions to compare anything.</summary>
    public static ContentPart? Fit(ContentIndex content, RecommenderKnobs knobs)
    {
        var dimension = Math.Min(knobs.ContentDimension, Math.Min(content.Items, content.Tokens));
        if (dimension < 2)
        {
            return null;
        }

        var svd = TruncatedSvd.Fit(content.Matrix(), dimension, seed: knobs.Seed);
        dimension = svd.Components.Count;
        var axes = new float[content.Tokens * dimension];
        for (var t = 0; t < content.Tokens; t++)
        {
            for (var k = 0; k < dimension; k++)
            {
                axes[(t * dimension) + k] = (float)svd.Components[k][t];
            }
        }

        return new ContentPart(dimension, Place(content, 0, new float[content.Items * dimension], axes, dimension), axes);
    }

    public override float[]? Person(PersonTaste taste)
    {
        if (taste.Items.Length == 0)
        {
            return null;
        }

        var sum = new float[Dimension];
        for (var n = 0; n < taste.Items.Length; n++)
        {
            TensorPrimitives.MultiplyAdd(Item(taste.Items[n]), taste.Strengths[n], sum, sum);
        }

        return UnitLength(sum) ? sum : null;
    }

    public override float[] Because(PersonTaste taste, int item)
    {
        var parts = new float[taste.Items.Length];
        for (var n = 0; n < parts.Length; n++)
        {
            parts[n] = taste.Strengths[n] * TensorPrimitives.Dot(Item(taste.Items[n]), Item(item)) / Math.Max(1, taste.Strengths.Sum());
        }

        return parts;
    }

    public override RecommenderPart With(NewItems added) => new ContentPart(Dimension, Place(added.Content, added.First, Extended(added.Items.Count), axes, Dimension), axes);

    public override void Save(BinaryWriter writer)
    {
        writer.Write(Dimension);
        Write(writer, axes);
    }

    public static ContentPart Load(BinaryReader reader, ContentIndex content)
    {
        var dimension = reader.ReadInt32();
        var axes = Read(reader);
        return axes.Length == content.Tokens * dimension
            ? new ContentPart(dimension, Place(content, 0, new float[content.Items * dimension], axes, dimension), axes)
            : throw new InvalidDataException("The axes do not fit the vocabulary.");
    }

    private static float[] Place(ContentIndex content, int from, float[] vectors, float[] axes, int dimension)
    {
        for (var item = from; item < content.Items; item++)
        {
            var vector = vectors.AsSpan(item * dimension, dimension);
            var (tokens, weights) = content.Bag(item);
            for (var t = 0; t < tokens.Length; t++)
            {
                TensorPrimitives.MultiplyAdd(axes.AsSpan(tokens[t] * dimension, dimension), weights[t], vector, vector);
            }

            UnitLength(vector);
        }

        return vectors;
    }

    private static bool UnitLength(Span<float> vector)
    {
        var length = TensorPrimitives.Norm(vector);
        if (length == 0)
        {
            return false;
        }

        TensorPrimitives.Divide(vector, length, vector);
        return true;
    }
}
