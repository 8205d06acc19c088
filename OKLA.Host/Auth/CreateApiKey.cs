using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>POST /api/admin/api-keys: makes a key. The answer is the only place where its secret is ever seen.</summary>
internal static class CreateApiKey
{
    /// <summary>The wish.</summary>
    /// <param name="Name">What people will call it: 1 to 100 characters.</param>
    /// <param name="Kind"><c>server</c> or <c>browser</c>.</param>
    /// <param name="Scopes">What it allows, of <see cref="Policies.Scopes"/>; a browser key allows <c>events:write</c> and nothing else.</param>
    /// <param name="Origins">For a browser key, 1 to 20 origins of the pages it works on, such as <c>https://okla.com.do</c>.</param>
    public sealed record Request(string? Name, string? Kind, IReadOnlyList<string>? Scopes, IReadOnlyList<string>? Origins);

    /// <summary>The new key, with its text to copy now.</summary>
    public sealed record Created(string KeyId, string Key, string Name, string Kind, IReadOnlyList<string> Scopes, IReadOnlyList<string> Origins);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/", HandleAsync).WithSummary("Makes an API key; its secret is shown once");

    internal static async Task<Results<Created<Created>, ValidationProblem>> HandleAsync(
        Request request, CurrentUser admin, HttpResponse response, NpgsqlDataSource db, TimeProvider time, ILogger<ApiKeys> logger, CancellationToken ct)
    {
        var errors = Check(request);
        if (errors.Count > 0) return TypedResults.ValidationProblem(errors);

        var name = request.Name!.Trim();
        var scopes = request.Scopes!.Distinct().ToArray();
        var origins = (request.Origins ?? []).Select(ApiKey.NormalizeOrigin).OfType<string>().Distinct().ToArray();
        var (keyId, text, secretHash) = ApiKey.Generate();
        await using var connection = await db.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into auth.api_keys (key_id, name, kind, secret_hash, scopes, origins, created_at, created_by)
            values (@keyId, @name, @Kind, @secretHash, @scopes, @origins, @now, @Actor)
            """,
            new { keyId, name, request.Kind, secretHash, scopes, origins, now = time.GetUtcNow(), admin.Actor },
            cancellationToken: ct));
        Log.KeyCreated(logger, keyId, request.Kind!, string.Join(' ', scopes), admin.Actor);
        response.Headers.CacheControl = "no-store";
        return TypedResults.Created($"/api/admin/api-keys/{keyId}", new Created(keyId, text, name, request.Kind!, scopes, origins));
    }

    /// <summary>What is wrong with a wish, by field; empty when nothing is.</summary>
    internal static Dictionary<string, string[]> Check(Request request)
    {
        var errors = new Dictionary<string, string[]>();
        if (request.Name?.Trim() is not { Length: >= 1 and <= 100 } name || name.Any(char.IsControl))
            errors["name"] = ["Escribe un nombre de 1 a 100 caracteres."];
        if (request.Kind is not (ApiKey.Server or ApiKey.Browser))
            errors["kind"] = ["El tipo es server o browser."];
        if (request.Scopes is not { Count: > 0 } scopes || !scopes.All(scope => Policies.Scopes.All.Contains(scope)))
            errors["scopes"] = [$"Elige al menos un permiso de: {string.Join(", ", Policies.Scopes.All)}."];
        else if (request.Kind == ApiKey.Browser && scopes.Any(scope => scope != Policies.Scopes.EventsWrite))
            errors["scopes"] = [$"Una clave de navegador solo puede tener {Policies.Scopes.EventsWrite}."];
        var origins = request.Origins ?? [];
        if (request.Kind == ApiKey.Browser && (origins.Count is 0 or > 20 || origins.Any(origin => origin is null || ApiKey.NormalizeOrigin(origin) is null)))
            errors["origins"] = ["Una clave de navegador necesita de 1 a 20 orígenes, como https://okla.com.do."];
        if (request.Kind == ApiKey.Server && origins.Count > 0)
            errors["origins"] = ["Una clave de servidor no lleva orígenes."];
        return errors;
    }
}
