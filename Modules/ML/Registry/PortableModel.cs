using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OKLA.ML.Models;
using OKLA.ML.Serving;
using OKLA.ML.Training.Gates;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Registry;

/// <summary>A file that is no exported model, or not a whole one.</summary>
/// <param name="part">The part of the file at fault; body for all of it.</param>
/// <param name="message">What is wrong, for the person who sent it.</param>
internal sealed class PortableFileException(string part, string message) : Exception(message)
{
    /// <summary>The part of the file at fault.</summary>
    public string Part { get; } = part;
}

/// <summary>Where a version came from.</summary>
/// <param name="Dataset">Data set it learned from; null for one of the log.</param>
/// <param name="DatasetVersion">Version of the data set.</param>
/// <param name="DatasetSha256">Checksum of that version's content.</param>
/// <param name="Parent">The version that served when it was trained.</param>
/// <param name="Run">The run that made it.</param>
/// <param name="Environment">Code version, runtime and machine of that run.</param>
internal sealed record PortableLineage(string? Dataset, int? DatasetVersion, string? DatasetSha256, int? Parent, Guid? Run, JsonElement? Environment);

/// <summary>All facts of a version on its way to another host.</summary>
/// <param name="Kind">What the file is: <see cref="PortableModel.Kind"/>.</param>
/// <param name="Format">How it is written, from 1.</param>
/// <param name="Model">Name of the model.</param>
/// <param name="Family">What can read the artefact: table, or the name of a model of the house.</param>
/// <param name="Version">Its number where it was trained.</param>
/// <param name="Summary">What the model answers.</param>
/// <param name="Sha256">Checksum of the artefact.</param>
/// <param name="Bytes">Size of the artefact.</param>
/// <param name="Signature">What it must be told; null when it is asked through an endpoint of its own.</param>
/// <param name="Definition">What was to be learned and how; null for a model of the house.</param>
/// <param name="Metrics">What it measured.</param>
/// <param name="Evaluation">All else that its run measured.</param>
/// <param name="Gates">What came of the gates.</param>
/// <param name="Parameters">Every knob.</param>
/// <param name="Data">What it learned from, with the rows that what is served is held against.</param>
/// <param name="Lineage">Where it came from.</param>
/// <param name="DataUntil">Up to when it has seen the world (UTC).</param>
/// <param name="Decision">What the gates decided.</param>
/// <param name="Rows">Rows learned from.</param>
/// <param name="Seconds">Time the training took.</param>
/// <param name="TrainedAt">When (UTC).</param>
/// <param name="ExportedAt">When the file was written (UTC).</param>
internal sealed record PortableManifest(
    string Kind, int Format, string Model, string Family, int Version, string Summary, string Sha256, int Bytes, ModelSignature? Signature, TableDefinition? Definition, IReadOnlyList<MetricRow> Metrics,
    JsonElement? Evaluation, IReadOnlyList<GateResult> Gates, JsonElement Parameters, JsonElement Data, PortableLineage Lineage, DateTimeOffset DataUntil, string Decision, int Rows, double Seconds,
    DateTimeOffset TrainedAt, DateTimeOffset ExportedAt);

/// <summary>
/// A version as one file: a ZIP of <c>manifest.json</c>, <c>card.md</c>, <c>artefact.bin</c> and <c>SHA256SUMS</c>, which <c>sha256sum -c</c> reads too. What is cut off, changed on
/// its way or something else is told apart before anything is kept.
/// </summary>
internal sealed record PortableModel(PortableManifest Manifest, string Card, byte[] Artefact)
{
    public const string Kind = "okla-model";
    public const int Format = 1;

    /// <summary>Family of every model of a table that a user brought.</summary>
    public const string Table = "table";

    public const string ContentType = "application/zip";
    private const string ManifestPart = "manifest.json", CardPart = "card.md", ArtefactPart = "artefact.bin", SumsPart = "SHA256SUMS";
    private const int MostText = 64 << 20;
    private static readonly string[] Parts = [ManifestPart, CardPart, ArtefactPart, SumsPart];

    /// <summary>The file.</summary>
    public byte[] Save()
    {
        (string Name, byte[] Bytes)[] parts =
            [(ManifestPart, JsonSerializer.SerializeToUtf8Bytes(Manifest, RunStore.Json)), (CardPart, Encoding.UTF8.GetBytes(Card)), (ArtefactPart, Artefact)];
        var sums = string.Concat(parts.Select(part => $"{Sum(part.Bytes)}  {part.Name}\n"));
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in parts.Append((Name: SumsPart, Bytes: Encoding.UTF8.GetBytes(sums))))
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.Optimal).Open();
                entry.Write(bytes);
            }
        }

        return file.ToArray();
    }

    /// <summary>Reads a file.</summary>
    /// <param name="file">The file; it can seek.</param>
    /// <param name="mostBytes">Largest artefact.</param>
    /// <exception cref="PortableFileException">It is something else, cut off, changed or too large.</exception>
    public static PortableModel Read(Stream file, long mostBytes)
    {
        ZipArchive zip;
        try
        {
            zip = new ZipArchive(file, ZipArchiveMode.Read);
        }
        catch (InvalidDataException)
        {
            throw new PortableFileException("body", "This is no exported model, or it is cut off.");
        }

        using (zip)
        {
            if (zip.Entries.Count != Parts.Length || Parts.FirstOrDefault(part => zip.GetEntry(part) is null) is not null)
            {
                throw new PortableFileException("body", $"This is another kind of archive: an exported model holds {string.Join(", ", Parts)} and nothing else.");
            }

            var sums = Encoding.UTF8.GetString(Part(zip, SumsPart, MostText)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split("  ", 2)).Where(line => line.Length == 2).GroupBy(line => line[1]).ToDictionary(line => line.Key, line => line.First()[0]);
            byte[] Checked(string name, long most)
            {
                var bytes = Part(zip, name, most);
                return sums.GetValueOrDefault(name) == Sum(bytes) ? bytes : throw new PortableFileException(name, "It was changed on its way: its checksum does not match.");
            }

            var manifest = Manifested(Checked(ManifestPart, MostText));
            var artefact = Checked(ArtefactPart, mostBytes);
            return manifest.Sha256 == Sum(artefact) && manifest.Bytes == artefact.Length
                ? new PortableModel(manifest, Encoding.UTF8.GetString(Checked(CardPart, MostText)), artefact)
                : throw new PortableFileException(ArtefactPart, "It is not the artefact that the manifest describes.");
        }
    }

    private static string Sum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static PortableManifest Manifested(byte[] json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<PortableManifest>(json, RunStore.Json);
            return manifest switch
            {
                null or { Kind: not Kind } => throw new PortableFileException(ManifestPart, "It does not describe a model of OKLA."),
                { Format: not Format } => throw new PortableFileException(ManifestPart, $"It is written in format {manifest.Format}; this host reads {Format}."),
                { Metrics: null } or { Gates: null } or { Lineage: null } or { Data.ValueKind: not JsonValueKind.Object } or { Family: null } or { Model: null }
                    => throw new PortableFileException(ManifestPart, "It lacks metrics, gates, lineage, data, family or model."),
                _ => manifest,
            };
        }
        catch (JsonException wrong)
        {
            throw new PortableFileException(ManifestPart, $"It is no manifest: {wrong.Message}");
        }
    }

    /// <summary>A part of the archive, never more of it than is allowed, whatever its header says.</summary>
    private static byte[] Part(ZipArchive zip, string name, long most)
    {
        try
        {
            var entry = zip.GetEntry(name)!;
            using var packed = entry.Open();
            using var bytes = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int read; (read = packed.Read(buffer)) > 0;)
            {
                bytes.Write(buffer, 0, read);
                if (bytes.Length > most)
                {
                    throw new PortableFileException(name, $"It is larger than {most:N0} bytes.");
                }
            }

            return bytes.ToArray();
        }
        catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException)
        {
            throw new PortableFileException(name, "It is damaged or cut off.");
        }
    }
}
