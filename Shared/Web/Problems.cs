using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.Shared.Web;

/// <summary>RFC 9457 problem details: every refusal and every fault in one shape; <c>errors</c> names fields as the client wrote them.</summary>
public static partial class Problems
{
    /// <summary>400 for one field: <paramref name="path"/> as the client sent it (<c>items[2].price</c>).</summary>
    public static ValidationProblem Invalid(string path, string message) => Invalid(new Dictionary<string, string[]> { [path] = [message] });

    /// <summary>Marks a problem on its way out whose paths are right already.</summary>
    private const string AsSent = "pathsAsSent";

    /// <summary>400 for several fields by their paths as the client sent them.</summary>
    public static ValidationProblem Invalid(IDictionary<string, string[]> errors) => TypedResults.ValidationProblem(errors, extensions: [new(AsSent, true)]);

    /// <summary>A property path as C# writes it (<c>Items[2].UnitPrice</c>, <c>$.items[2]</c>) as the client wrote it (<c>items[2].unitPrice</c>).</summary>
    public static string ClientPath(string path)
    {
        var trimmed = path is "$" ? "" : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path.TrimStart('$');
        return string.Join('.', trimmed.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName));
    }

    /// <summary>Adds the trace id, and writes the names in <c>errors</c> as the client did.</summary>
    internal static void Complete(ProblemDetailsContext context)
    {
        var problem = context.ProblemDetails;
        problem.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? context.HttpContext.TraceIdentifier;
        if (!problem.Extensions.Remove(AsSent) && problem is HttpValidationProblemDetails { Errors.Count: > 0 } invalid)
            invalid.Errors = invalid.Errors.GroupBy(e => ClientPath(e.Key)).ToDictionary(g => g.Key, g => g.SelectMany(e => e.Value).ToArray());
    }

    /// <summary>What a client is told about a request that could not be read.</summary>
    internal static ProblemDetails Unreadable(BadHttpRequestException refused)
    {
        if (refused.StatusCode != StatusCodes.Status400BadRequest) return new() { Status = refused.StatusCode };
        if (refused.InnerException is JsonException json) return Invalid400(JsonErrors(json));
        if (Parameter().Match(refused.Message) is { Success: true } parameter)
            return Invalid400(new() { [parameter.Groups[1].Value] = ["The value is missing or has the wrong type."] });
        return new() { Status = refused.StatusCode, Detail = "The request could not be read." };
    }

    /// <summary>The errors of a body that is no JSON, or not of the right shape; CLR type names stay inside.</summary>
    public static Dictionary<string, string[]> JsonErrors(JsonException json)
    {
        var path = ClientPath(json.Path ?? "");
        if (MissingProperties().Match(json.Message) is { Success: true } missing)
            return Quoted().Matches(missing.Groups[1].Value).ToDictionary(
                m => path.Length == 0 ? m.Groups[1].Value : $"{path}.{m.Groups[1].Value}", _ => Required);
        var message = json.InnerException is null && json.Message.Contains("could not be converted", StringComparison.Ordinal)
            ? "The value has the wrong type."
            : $"Not valid JSON at line {(json.LineNumber ?? 0) + 1}, byte {(json.BytePositionInLine ?? 0) + 1}.";
        return new() { [path] = [message] };
    }

    private static readonly string[] Required = ["The value is required."];

    private static HttpValidationProblemDetails Invalid400(Dictionary<string, string[]> errors) => new(errors) { Status = StatusCodes.Status400BadRequest };

    [GeneratedRegex("parameter \"(?:[^\" ]+ )*([^\" ]+)\"")]
    private static partial Regex Parameter();

    [GeneratedRegex("missing required properties including: (.*)$")]
    private static partial Regex MissingProperties();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();
}

/// <summary>Turns exceptions into problem details; the only place that logs them.</summary>
internal sealed class ProblemExceptionHandler(IProblemDetailsService problems, ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var (method, path) = (httpContext.Request.Method, httpContext.Request.Path.Value ?? "/");
        ProblemDetails problem;
        switch (exception)
        {
            case BadHttpRequestException refused:
                logger.RequestRefused(method, path, refused.Message);
                problem = Problems.Unreadable(refused);
                break;
            case NpgsqlException { IsTransient: true } or TimeoutException:
                logger.SourceUnavailable(exception, method, path);
                httpContext.Response.Headers.RetryAfter = "5";
                problem = new() { Status = StatusCodes.Status503ServiceUnavailable };
                break;
            default:
                logger.RequestFailed(exception, method, path);
                problem = new() { Status = StatusCodes.Status500InternalServerError };
                break;
        }

        httpContext.Response.StatusCode = problem.Status!.Value;
        await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = problem });
        return true;
    }
}
