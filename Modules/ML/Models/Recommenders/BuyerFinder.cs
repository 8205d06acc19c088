using System.Numerics.Tensors;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// Who should hear of a vehicle: the recommender asked the other way round.
/// Entity: an item and the people active in the last weeks. Label: a later first meeting of the two. Features: the parts of the recommender, and how active the person is.
/// Trainer: the recommender's; which parts and how much activity counts is chosen on a later slice of time. Gate: AUC over people above "who is most active".
/// Answer: the people of the largest inner product with the item, activity added.
/// </summary>
/// <param name="recommender">Its parts.</param>
/// <param name="activity">Weight of ln(1 + events).</param>
internal sealed class BuyerFinder(ItemRecommender recommender, double activity)
{
    private const int Format = 1;
    private const string Header = "OKLA.BuyerFinder";

    /// <summary>What is known of a person.</summary>
    /// <param name="Vector">In the space of the items; null when nothing they did is known.</param>
    /// <param name="Activity">ln(1 + events).</param>
    public readonly record struct Reader(float[]? Vector, double Activity);

    /// <summary>Its parts.</summary>
    public ItemRecommender Recommender => recommender;

    /// <summary>Reads a history.</summary>
    public Reader Read(IReadOnlyList<HistoryItem> history) => new(recommender.VectorOf(recommender.TasteOf(history)), Math.Log(1 + history.Sum(item => item.Events)));

    /// <summary>How much a person would want to hear of an item; larger is more.</summary>
    public double Score(Reader person, int item) => (activity * person.Activity) + (person.Vector is { } vector ? TensorPrimitives.Dot(vector, recommender.Vector(item)) : 0);

    /// <summary>The same with items it has not met.</summary>
    public BuyerFinder With(IEnumerable<ItemSnapshot> items, ExchangeRates rates) => new(recommender.With(items, rates), activity);

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Header);
        writer.Write(Format);
        writer.Write(activity);
        writer.Flush();
        stream.Write(recommender.Save());
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or of another format.</exception>
    public static BuyerFinder Load(byte[] artefact)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != Header || reader.ReadInt32() != Format)
        {
            throw new InvalidDataException("This is not a model of buyers of a known format.");
        }

        var weight = reader.ReadDouble();
        return new BuyerFinder(ItemRecommender.Load(artefact[(int)stream.Position..], ItemKind.Vehicle), weight);
    }
}
