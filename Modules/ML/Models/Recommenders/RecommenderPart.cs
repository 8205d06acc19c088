using System.Runtime.InteropServices;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>What is known of a person: items of the model that they met and how strongly, and the tokens of those.</summary>
/// <param name="Items">Indices of items, each once.</param>
/// <param name="Strengths">See <see cref="ItemRecommender.Strength"/>.</param>
/// <param name="Tokens">Tokens of their content, ascending.</param>
/// <param name="Weights">Their weights, of unit length.</param>
internal sealed record PersonTaste(int[] Items, float[] Strengths, int[] Tokens, float[] Weights);

/// <summary>New items with what a model knows of them.</summary>
internal sealed record NewItems(IReadOnlyList<ItemSnapshot> Items, ContentIndex Content, ItemKind Kind, ExchangeRates Rates)
{
    /// <summary>Index of the first one in <see cref="Content"/>.</summary>
    public int First => Content.Items - Items.Count;
}

/// <summary>
/// One way to score items for a person as the inner product of a vector of the person and one of the item. Since each way is, a weighted sum of
/// them is one as well, over the vectors laid end to end, and the best of it are found by one search.
/// </summary>
internal abstract class RecommenderPart(int dimension, float[] vectors)
{
    /// <summary>Name in settings, tables and artefacts.</summary>
    public abstract string Name { get; }

    /// <summary>Length of the vectors.</summary>
    public int Dimension => dimension;

    /// <summary>Vectors of all items, row after row.</summary>
    public float[] Vectors => vectors;

    /// <summary>An item's vector.</summary>
    public ReadOnlySpan<float> Item(int item) => vectors.AsSpan(item * dimension, dimension);

    /// <summary>The person's vector; null when this way cannot tell anything of the person.</summary>
    public abstract float[]? Person(PersonTaste taste);

    /// <summary>What each item of the history gave to the score of an item, in its order; null where the score is no sum over the history.</summary>
    public virtual float[]? Because(PersonTaste taste, int item) => null;

    /// <summary>The same with vectors of items that the training had not met.</summary>
    public abstract RecommenderPart With(NewItems added);

    /// <summary>Writes it.</summary>
    public abstract void Save(BinaryWriter writer);

    /// <summary>Room for the vectors of new items behind those that there are.</summary>
    protected float[] Extended(int added)
    {
        var longer = new float[vectors.Length + (added * dimension)];
        vectors.CopyTo(longer, 0);
        return longer;
    }

    /// <summary>Writes numbers with their count.</summary>
    protected static void Write(BinaryWriter writer, ReadOnlySpan<float> values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    protected static float[] Read(BinaryReader reader)
    {
        var values = new float[reader.ReadInt32()];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
