using System.Globalization;
using System.Net;
using System.Text.Json;
using OKLA.Shared.Privacy;
using OKLA.Tracking.Privacy;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Ingest;

/// <summary>How the values of an event are read: scalars of the envelope, the context, and the properties by their schema.</summary>
internal sealed partial class EventParser
{
    private const int MaxDepth = 10;

    private static string? ReadText(ref Utf8JsonReader reader, string field, int maxLength, ref Draft draft)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            draft.Rejection ??= new Rejection(field, "Must be text.");
            reader.Skip();
            return null;
        }

        if (reader.ValueSpan.Length > maxLength * 6 || !TryGetText(ref reader, out var text) || text.Length is 0 || text.Length > maxLength || text.AsSpan().ContainsAnyInRange('\0', '\x1f'))
        {
            draft.Rejection ??= new Rejection(field, $"Must have 1 to {maxLength} characters, none of them a control character.");
            return null;
        }

        return text;
    }

    private static int? ReadVersion(ref Utf8JsonReader reader, ref Draft draft)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt16(out var version) && version > 0)
        {
            return version;
        }

        draft.Rejection ??= new Rejection("schemaVersion", "Must be a whole number from 1.");
        reader.Skip();
        return null;
    }

    private static DateTimeOffset? ReadTime(ref Utf8JsonReader reader, string field, ref Draft draft)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped && reader.TryGetDateTimeOffset(out var time) && HasOffset(reader.ValueSpan))
        {
            return time;
        }

        draft.Rejection ??= new Rejection(field, "Must be a time in ISO 8601 with an offset, such as 2026-11-21T10:00:00Z.");
        reader.Skip();
        return null;
    }

    /// <summary>Without an offset the time would be read in the server's own zone.</summary>
    private static bool HasOffset(ReadOnlySpan<byte> time) => time.Length > 11 && (time[^1] == 'Z' || time[11..].IndexOfAny((byte)'+', (byte)'-') >= 0);

    /// <summary>Reads the context: any names, and three that the server looks at or keeps for itself.</summary>
    private (int Start, int Length) ReadContext(ref Utf8JsonReader reader, ref Draft draft)
    {
        if (!IsObject(ref reader, "context", ref draft))
        {
            draft.ConsentUnread = reader.TokenType != JsonTokenType.Null;
            return default;
        }

        var start = (int)reader.TokenStartIndex;
        var depth = reader.CurrentDepth;
        while (reader.Read() && !(reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == depth))
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == depth + 1 && reader.ValueSpan.Length <= 48)
            {
                var name = TryGetText(ref reader, out var text) ? text : "";
                switch (name)
                {
                    case "consent":
                        reader.Read();
                        ReadConsent(ref reader, ref draft);
                        continue;
                    case "ip" or "ipHash" or "bot":
                        reader.Read();
                        ReadServersOwn(ref reader, name, ref draft);
                        continue;
                    default:
                        break;
                }
            }

            CheckToken(ref reader, 0, depth, "context", mask: true, ref draft);
        }

        return (start, (int)reader.BytesConsumed - start);
    }

    private static void ReadConsent(ref Utf8JsonReader reader, ref Draft draft)
    {
        Consent? consent = null;
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        if (reader.TokenType == JsonTokenType.String)
        {
            consent = TryGetText(ref reader, out var word) ? ConsentWords.Level(word) : null;
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            consent = Consent.Necessary;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                consent |= reader.TokenType == JsonTokenType.String && TryGetText(ref reader, out var word) ? ConsentWords.Exactly(word) : null;
                reader.Skip();
            }
        }
        else
        {
            reader.Skip();
        }

        if (consent is null)
        {
            draft.ConsentUnread = true;
            draft.Rejection ??= new Rejection("context.consent", "Must be necessary, analytics or marketing, or a list of these.");
        }

        // Of two answers the smaller one is safe.
        draft.Consent = draft.Consent is { } before && consent is { } now ? before & now : consent ?? draft.Consent;
    }

    /// <summary>An address is hashed and its text dropped; a hash or a mark of the producer's own making is dropped.</summary>
    private void ReadServersOwn(ref Utf8JsonReader reader, string name, ref Draft draft)
    {
        var start = (int)reader.TokenStartIndex;
        if (name == "ip" && sender is { IsServer: true, Key: { } key } && reader.TokenType == JsonTokenType.String
            && TryGetText(ref reader, out var text) && IPAddress.TryParse(text, out var address))
        {
            draft.AddressHash = key.Hash(address);
        }

        reader.Skip();
        edits.Add(new Edit(start, (int)reader.BytesConsumed - start, null));
    }

    private void ReadProperties(ref Utf8JsonReader reader, ref Draft draft)
    {
        if (!IsObject(ref reader, "properties", ref draft))
        {
            return;
        }

        var start = (int)reader.TokenStartIndex;
        var versions = draft.Type is null ? [] : schemas.Versions(draft.Type);
        if (versions.Length == 1 || (draft.Seen & (1 << (int)Name.SchemaVersion)) != 0)
        {
            draft.Schema = draft.Type is null ? null : schemas.Find(draft.Type, draft.Version);
        }

        if (draft.Schema is { } schema)
        {
            CheckProperties(ref reader, 0, schema, ref draft);
        }
        else
        {
            // Type or version may come after them.
            reader.Skip();
            draft.PropertiesWait = true;
        }

        draft.Properties = (start, (int)reader.BytesConsumed - start);
    }

    private void CheckWaiting(ref Draft draft)
    {
        var (start, length) = draft.Properties;
        var reader = new Utf8JsonReader(body.Span.Slice(start, length), new JsonReaderOptions { MaxDepth = int.MaxValue });
        reader.Read();
        CheckProperties(ref reader, start, draft.Schema!, ref draft);
    }

    /// <summary>Holds properties to their schema.</summary>
    /// <param name="reader">Stands on the opening brace; is left on the closing one.</param>
    /// <param name="offset">Where the reader's bytes begin in the body.</param>
    /// <param name="schema">What the event should be.</param>
    /// <param name="draft">The event.</param>
    private void CheckProperties(ref Utf8JsonReader reader, int offset, EventSchema schema, ref Draft draft)
    {
        var depth = reader.CurrentDepth;
        var (seen, twice) = (default(UInt128), default(UInt128));
        var (current, items) = (-1, 0);
        while (reader.Read() && !(reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == depth))
        {
            var field = current < 0 ? null : schema.Fields[current];
            var isScalar = reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null;
            var text = CheckToken(ref reader, offset, depth, "properties", mask: field is null or { IsFreeText: true }, ref draft);
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.CurrentDepth == depth + 1)
                {
                    current = schema.Find(text is null ? reader.ValueSpan : System.Text.Encoding.UTF8.GetBytes(text));
                    items = 0;
                    var bit = current < 0 ? UInt128.Zero : UInt128.One << current;
                    twice |= seen & bit;
                    seen |= bit;
                }

                continue;
            }

            if (field is null || draft.Rejection is not null)
            {
                continue;
            }

            if (field.ServerOnly && !sender.IsBelieved && reader.TokenType != JsonTokenType.Null)
            {
                draft.Rejection = new Rejection($"properties.{field.Name}", "Only servers with an API key state this.");
                continue;
            }

            if (reader.CurrentDepth == depth + 1)
            {
                if (reader.TokenType == JsonTokenType.Null)
                {
                    seen &= ~(UInt128.One << current);
                }
                else if (reader.TokenType is JsonTokenType.StartArray ? field.MaxItems == 0
                    : reader.TokenType is JsonTokenType.StartObject ? field is not { Kind: FieldKind.Map, MaxItems: 0 }
                    : isScalar && (field.MaxItems > 0 || field.Check(ref reader, text) is not null))
                {
                    draft.Rejection = new Rejection($"properties.{field.Name}", $"Must be {field.Say()}.");
                }
            }
            else if (field.MaxItems > 0 && reader.TokenType != JsonTokenType.EndArray && (!isScalar || reader.CurrentDepth > depth + 2 || ++items > field.MaxItems || field.Check(ref reader, text) is not null))
            {
                draft.Rejection = new Rejection($"properties.{field.Name}", $"Must be {field.Say()}.");
            }
        }

        if (draft.Rejection is null && twice != UInt128.Zero)
        {
            draft.Rejection = new Rejection($"properties.{schema.Fields[(int)UInt128.TrailingZeroCount(twice)].Name}", "Given twice.");
        }

        draft.Rejection ??= Missing(schema, seen);
    }

    private static Rejection? Missing(EventSchema schema, UInt128 seen)
    {
        for (var i = 0; i < schema.Fields.Count && schema.RequiredCount > 0; i++)
        {
            if (schema.Fields[i].IsRequired && (seen & (UInt128.One << i)) == UInt128.Zero)
            {
                return new Rejection($"properties.{schema.Fields[i].Name}", $"Required: {schema.Fields[i].Say()}.");
            }
        }

        return null;
    }

    private static bool IsObject(ref Utf8JsonReader reader, string field, ref Draft draft)
    {
        if (reader.TokenType is JsonTokenType.Null or JsonTokenType.StartObject)
        {
            return reader.TokenType == JsonTokenType.StartObject;
        }

        draft.Rejection ??= new Rejection(field, "Must be an object.");
        reader.Skip();
        return false;
    }

    /// <summary>Refuses what cannot be stored, and notes where personal data must be masked.</summary>
    /// <returns>The token's text when it had to be decoded.</returns>
    private string? CheckToken(ref Utf8JsonReader reader, int offset, int depth, string field, bool mask, ref Draft draft)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                if (!IsStorable(reader.ValueSpan))
                {
                    draft.Rejection ??= new Rejection(field, "Holds a number that is too long or out of range.");
                }

                return null;
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                if (reader.CurrentDepth - depth > MaxDepth)
                {
                    draft.Rejection ??= new Rejection(field, $"Is nested more than {MaxDepth} deep.");
                }

                return null;
            case JsonTokenType.String or JsonTokenType.PropertyName:
                var isMaskable = mask && reader.TokenType == JsonTokenType.String;
                if (!reader.ValueIsEscaped && !(isMaskable && PersonalData.MayBeIn(reader.ValueSpan)))
                {
                    return null;
                }

                if (!TryGetText(ref reader, out var text) || text.Contains('\0', StringComparison.Ordinal))
                {
                    draft.Rejection ??= new Rejection(field, "Holds text that is not valid Unicode, or a NUL character.");
                    return "";
                }

                if (isMaskable && PersonalData.Mask(text) is var masked && !ReferenceEquals(masked, text))
                {
                    edits.Add(new Edit(offset + (int)reader.TokenStartIndex, reader.ValueSpan.Length + 2, masked));
                }

                return text;
            default:
                return null;
        }
    }

    private static bool IsStorable(ReadOnlySpan<byte> number) =>
        number.Length <= 40 && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
        && (number.IndexOfAny((byte)'e', (byte)'E') is var e && (e < 0 || (int.TryParse(number[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && Math.Abs(power) <= 308)));

    private static bool TryGetText(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate written as an escape, or bytes that are not UTF-8.
            text = "";
            return false;
        }
    }
}
