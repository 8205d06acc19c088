using System.Collections.Frozen;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace OKLA.Shared.Web;

/// <summary>Who somebody is to the marketplace, from the least to the most allowed.</summary>
public enum Role
{
    /// <summary>Not signed in, or signed in without a role that the marketplace knows.</summary>
    Anonymous,

    /// <summary>Looks for vehicles.</summary>
    Buyer,

    /// <summary>Sells vehicles.</summary>
    Dealer,

    /// <summary>Runs the marketplace.</summary>
    Admin,
}

/// <summary>
/// The caller of a request, as proved by a bearer token, an API key or both. Take it as a parameter of an endpoint;
/// it is never null, and nobody is <see cref="Nobody"/>.
/// </summary>
/// <param name="Id">The user's id (the token's <c>sub</c>), or null when no user is signed in.</param>
/// <param name="Role">The most allowed of the caller's roles.</param>
/// <param name="DealerId">The dealer the user sells for (the token's <c>dealer_id</c>), or null.</param>
/// <param name="Scopes">What the caller's key or token allows: names of <see cref="Policies.Scopes"/>.</param>
/// <param name="KeyId">The id of the API key that was sent, or null.</param>
/// <param name="IsServer">Whether that key is one that never leaves a server, so that its holder may be believed about others.</param>
public sealed record CurrentUser(string? Id, Role Role, string? DealerId, IReadOnlySet<string> Scopes, string? KeyId = null, bool IsServer = false)
{
    /// <summary>A caller who showed nothing.</summary>
    public static CurrentUser Nobody { get; } = new(null, Role.Anonymous, null, FrozenSet<string>.Empty);

    /// <summary>Who did it, for records of who did what: the user's id, or the key's with <c>key:</c> before it, or <c>anonymous</c>.</summary>
    public string Actor => Id ?? (KeyId is null ? "anonymous" : "key:" + KeyId);

    /// <summary>True for an admin.</summary>
    public bool IsAdmin => Role == Role.Admin;

    /// <summary>True when the caller's key or token carries the scope, or the caller is an admin.</summary>
    public bool Has(string scope) => IsAdmin || Scopes.Contains(scope);

    /// <summary>True when the caller may see and change what belongs to this user: the user, or an admin.</summary>
    public bool MayActAs(string userId) => IsAdmin || (Id is not null && Id == userId);

    /// <summary>True when the caller may see and change what belongs to this dealer: one who sells for it, or an admin.</summary>
    public bool MayActForDealer(string dealerId) => IsAdmin || (Role == Role.Dealer && DealerId is not null && DealerId == dealerId);

    /// <summary>Reads the caller out of the request's principal.</summary>
    public static CurrentUser From(ClaimsPrincipal principal)
    {
        if (principal.Identity is not { IsAuthenticated: true }) return Nobody;
        return new CurrentUser(
            principal.FindFirstValue(Claims.User),
            principal.IsInRole(Claims.Admin) ? Role.Admin
                : principal.IsInRole(Claims.Dealer) ? Role.Dealer
                : principal.IsInRole(Claims.Buyer) ? Role.Buyer
                : Role.Anonymous,
            principal.FindFirstValue(Claims.DealerId),
            principal.FindAll(Claims.Scope).Select(claim => claim.Value).ToFrozenSet(StringComparer.Ordinal),
            principal.FindFirstValue(Claims.KeyId),
            principal.HasClaim(claim => claim.Type == Claims.ServerKey));
    }

    /// <summary>Lets an endpoint take the caller as a parameter.</summary>
    public static ValueTask<CurrentUser> BindAsync(HttpContext context) => ValueTask.FromResult(From(context.User));

    /// <summary>Names of the claims and values of the roles that a signed-in principal carries.</summary>
    public static class Claims
    {
        /// <summary>The user's id.</summary>
        public const string User = "sub";

        /// <summary>One claim a role: <see cref="Buyer"/>, <see cref="Dealer"/> or <see cref="Admin"/>.</summary>
        public const string Role = "role";

        /// <summary>The dealer the user sells for.</summary>
        public const string DealerId = "dealer_id";

        /// <summary>One claim a scope.</summary>
        public const string Scope = "scope";

        /// <summary>The API key's id.</summary>
        public const string KeyId = "key_id";

        /// <summary>There when the API key is one that never leaves a server.</summary>
        public const string ServerKey = "server_key";

        /// <summary>Role of a buyer.</summary>
        public const string Buyer = "buyer";

        /// <summary>Role of a dealer.</summary>
        public const string Dealer = "dealer";

        /// <summary>Role of an admin.</summary>
        public const string Admin = "admin";
    }
}
