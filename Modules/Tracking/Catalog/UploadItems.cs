using System.Buffers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.Files;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Catalog;

/// <summary>
/// POST /api/catalog/imports: a file of items as NDJSON or CSV, or of listings as the verb <c>import listings</c> takes it (a CSV file without
/// the columns id and title). Good rows take effect a thousand at a time, the others are kept with their reasons; the same file again
/// changes nothing. With <c>preview=true</c> nothing is written.
/// </summary>
internal static class UploadItems
{
    private const string Ndjson = "application/x-ndjson";
    private const string Csv = "text/csv";

    /// <summary>What a file came to, or would.</summary>
    /// <param name="Preview">Whether nothing was written.</param>
    /// <param name="ImportId">Key of the set-aside rows; null for a preview.</param>
    /// <param name="Format">ndjson, csv or listings.</param>
    /// <param name="Columns">Columns as they were understood; empty for NDJSON.</param>
    /// <param name="Rows">Rows read.</param>
    /// <param name="Kept">Rows that became items.</param>
    /// <param name="SetAside">Rows that did not, by reason.</param>
    /// <param name="Problems">The first of these.</param>
    /// <param name="Sample">The first items.</param>
    /// <param name="Changes">What happened to the catalogue; null for a preview.</param>
    public sealed record Receipt(
        bool Preview, Guid? ImportId, string Format, string Columns, long Rows, long Kept, IReadOnlyDictionary<string, long> SetAside,
        IReadOnlyList<RowProblem> Problems, IReadOnlyList<CatalogItem> Sample, CatalogChanges? Changes);

    /// <summary>Why a row was set aside.</summary>
    /// <param name="Row">Line of data in the file, from 1.</param>
    /// <param name="Field">The field at fault; empty for the whole row.</param>
    /// <param name="Reason">What is wrong with it.</param>
    public sealed record RowProblem(long Row, string Field, string Reason);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/catalog/imports", HandleAsync)
        .RequireAuthorization(Policies.CatalogWrite).WithTags("Catalogue").WithName("uploadItems").WithSummary("Import a file of items")
        .WithMetadata(new AcceptsMetadata([Ndjson, Csv], typeof(Stream)))
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);

    internal static async Task<Results<Ok<Receipt>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        HttpRequest request, NpgsqlDataSource database, IMessageBus bus, IOptions<ImportOptions> options, TimeProvider clock, CancellationToken ct,
        string kind = "vehicle", string source = "upload", string? map = null, bool preview = false)
    {
        if (kind.Length == 0 || !ItemBody.IsStorable(kind))
        {
            return Problems.Invalid("kind", $"Between 1 and {ItemBody.MaxId} characters.");
        }

        if (source.Length == 0 || !ItemBody.IsStorable(source))
        {
            return Problems.Invalid("source", $"Between 1 and {ItemBody.MaxId} characters.");
        }

        var path = Path.Combine(Path.GetTempPath(), $"okla-upload-{Guid.NewGuid():N}");
        try
        {
            if (!await SpoolAsync(request, path, options.Value.MaxFileBytes, ct))
            {
                return TypedResults.Problem($"The file is larger than {options.Value.MaxFileBytes:N0} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "File too large");
            }

            if (new FileInfo(path).Length == 0)
            {
                return Problems.Invalid("body", "The file is empty.");
            }

            var upload = new ItemUpload(path, kind, source, map, preview, database, bus, options.Value, clock);
            return TypedResults.Ok(await upload.RunAsync(request.ContentType!.StartsWith(Ndjson, StringComparison.OrdinalIgnoreCase), ct));
        }
        catch (Exception refused) when (refused is ImportRefusedException or UnreadableFileException)
        {
            return Problems.Invalid(map is null ? "body" : "map", refused.Message.Replace(path, "the file", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Brings the body into a file, so that it can be read twice and a slow sender holds no lock; false when it is too large.</summary>
    private static async Task<bool> SpoolAsync(HttpRequest request, string path, long most, CancellationToken ct)
    {
        if (request.ContentLength > most)
        {
            return false;
        }

        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most + 1;
        }

        await using var file = File.Create(path);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            int read;
            var total = 0L;
            while ((read = await request.Body.ReadAsync(buffer, ct)) > 0)
            {
                if ((total += read) > most)
                {
                    return false;
                }

                await file.WriteAsync(buffer.AsMemory(0, read), ct);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
