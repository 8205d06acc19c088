using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving;

/// <summary>Looks up what a question leaves out: a model that learned features of an entity is asked by the entity's id, and reads the rest from the feature store.</summary>
internal sealed class EntityFeatures(IMessageBus bus, ServedModels served)
{
    /// <summary>Entities that one question reads at the same time; each may hold several connections.</summary>
    private const int AtOnce = 4;

    /// <summary>What the versions in memory read; it goes with them.</summary>
    private readonly ConditionalWeakTable<ModelSignature, string[]> read = [];

    /// <summary>The question with the features of its entities; what the asker says stays as it was said.</summary>
    public async ValueTask<Question> FillAsync(Question question, CancellationToken ct)
    {
        if (question.EntityIds is not { } ids || await served.BestAsync(question.Model) is not { Answers.Signature: { Entity: { } entity } signature })
        {
            return question;
        }

        if (!read.TryGetValue(signature, out var names))
        {
            read.AddOrUpdate(signature, names = await NamesAsync(entity, signature, ct));
        }

        JsonElement[] rows = [.. question.Rows.EnumerateArray()];
        int[] open = [.. Enumerable.Range(0, rows.Length).Where(i => ids[i] is { Length: > 0 } && !IsWhole(rows[i], names))];
        if (open.Length == 0)
        {
            return question;
        }

        var values = new IReadOnlyList<object?>?[ids.Count];
        foreach (var some in open.Chunk(AtOnce))
        {
            var asked = Array.ConvertAll(some, i => bus.InvokeAsync<IReadOnlyList<object?>>(new GetModelFeatures(entity, ids[i]!, names), ct));
            await Task.WhenAll(asked);
            for (var n = 0; n < some.Length; n++)
            {
                values[some[n]] = asked[n].Result;
            }
        }

        return question with { Rows = Merge(question.Rows, names, values) };
    }

    /// <summary>The inputs that are features; one that is no more is missing, as it would be for a new person.</summary>
    private async Task<string[]> NamesAsync(string entity, ModelSignature signature, CancellationToken ct)
    {
        var known = (await bus.InvokeAsync<IReadOnlyList<string>>(new ListModelFeatures(entity), ct)).ToHashSet(StringComparer.Ordinal);
        return [.. signature.Inputs.Select(input => input.Name).Where(known.Contains)];
    }

    /// <summary>Whether nothing is left to look up: the row names every feature, most often in their order. What is no object takes none.</summary>
    internal static bool IsWhole(JsonElement row, string[] names)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        var next = 0;
        foreach (var property in row.EnumerateObject())
        {
            next += next < names.Length && property.NameEquals(names[next]) ? 1 : 0;
        }

        return next == names.Length || names.All(name => row.TryGetProperty(name, out _));
    }

    /// <summary>Rows with the values that they do not name themselves.</summary>
    /// <param name="rows">Array of objects; what is no object stays as it is.</param>
    /// <param name="names">Names of the values.</param>
    /// <param name="values">One value a name for each row; null where nothing was looked up.</param>
    internal static JsonElement Merge(JsonElement rows, IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<object?>?> values)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            var i = 0;
            foreach (var row in rows.EnumerateArray())
            {
                Write(json, row, names, values[i++]);
            }

            json.WriteEndArray();
        }

        using var merged = JsonDocument.Parse(buffer.WrittenMemory);
        return merged.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter json, JsonElement row, IReadOnlyList<string> names, IReadOnlyList<object?>? values)
    {
        if (row.ValueKind != JsonValueKind.Object || values is null)
        {
            row.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        foreach (var property in row.EnumerateObject())
        {
            property.WriteTo(json);
        }

        for (var n = 0; n < names.Count; n++)
        {
            if (row.TryGetProperty(names[n], out _))
            {
                continue;
            }

            switch (values[n])
            {
                case double number:
                    json.WriteNumber(names[n], number);
                    break;
                case string text:
                    json.WriteString(names[n], text);
                    break;
            }
        }

        json.WriteEndObject();
    }
}
