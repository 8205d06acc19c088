using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>Columns of text read without any look at the target: encoded, and free texts as vectors.</summary>
internal sealed class TableReader
{
    private const int MostTexts = 4;
    private readonly TableEncoder _encoder;
    private readonly TextPart[] _texts;

    private TableReader(TableEncoder encoder, TextPart[] texts)
    {
        _encoder = encoder;
        _texts = texts;
    }

    public IReadOnlyList<string> TextNames => [.. _texts.Select(t => t.Name)];

    public static TableReader Fit(IReadOnlyList<RawColumn> columns, AutomaticOptions options)
    {
        var encoder = TableEncoder.Fit(columns, options.Encoding);
        // The longest texts are likeliest to say something.
        var texts = columns.Where(c => encoder.TextColumns.Contains(c.Name)).OrderByDescending(c => c.Values.Take(2000).Sum(v => v?.Length ?? 0)).Take(MostTexts);
        return new TableReader(encoder, [.. texts.Select(t => TextPart.Fit(t, options.Seed)).OfType<TextPart>()]);
    }

    public ReadRows Read(IReadOnlyList<RawColumn> columns)
    {
        var table = _encoder.Transform(columns);
        var vectors = new SparseMatrix[_texts.Length];
        var made = new List<Column>(table.Columns);
        for (var t = 0; t < vectors.Length; t++)
        {
            vectors[t] = _texts[t].Vectors(columns);
            made.AddRange(_texts[t].Along(vectors[t]));
        }
        return new ReadRows(new Dataset(made), vectors);
    }

    public void Write(BinaryWriter writer)
    {
        Nested.Write(writer, _encoder.Save);
        writer.Write(_texts.Length);
        foreach (var text in _texts) text.Write(writer);
    }

    public static TableReader Read(BinaryReader reader)
    {
        var encoder = Nested.Read(reader, TableEncoder.Load);
        var texts = new TextPart[reader.ReadInt32()];
        for (var t = 0; t < texts.Length; t++) texts[t] = TextPart.Read(reader);
        return new TableReader(encoder, texts);
    }
}
