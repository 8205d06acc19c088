namespace OKLA.Shared.Web;

/// <summary>
/// Names of the authorisation policies an endpoint asks for with <c>RequireAuthorization(Policies.X)</c>.
/// An admin passes every one of them; a dealer and a buyer pass their own only, and what they may touch is then
/// checked with <see cref="CurrentUser.MayActAs"/> and <see cref="CurrentUser.MayActForDealer"/>.
/// </summary>
public static class Policies
{
    /// <summary>Anyone, signed in or not; but a credential that is sent and refused is answered with 401, not read as "nobody".</summary>
    public const string Anonymous = "anonymous";

    /// <summary>A signed-in buyer, or an admin.</summary>
    public const string Buyer = "buyer";

    /// <summary>A signed-in dealer, or an admin.</summary>
    public const string Dealer = "dealer";

    /// <summary>A signed-in admin, or a server key of scope <see cref="Scopes.Admin"/>.</summary>
    public const string Admin = "admin";

    /// <summary>May record events: scope <see cref="Scopes.EventsWrite"/>, or an admin.</summary>
    public const string EventsWrite = "scope " + Scopes.EventsWrite;

    /// <summary>May change the catalogue: scope <see cref="Scopes.CatalogWrite"/>, or an admin.</summary>
    public const string CatalogWrite = "scope " + Scopes.CatalogWrite;

    /// <summary>May read features of any user or item: scope <see cref="Scopes.FeaturesRead"/>, or an admin.</summary>
    public const string FeaturesRead = "scope " + Scopes.FeaturesRead;

    /// <summary>May ask the models about any user or item: scope <see cref="Scopes.Predict"/>, or an admin.</summary>
    public const string Predict = "scope " + Scopes.Predict;

    /// <summary>What a key may be allowed to do, as it is written in the key's record and in a token's <c>scope</c> claim.</summary>
    public static class Scopes
    {
        /// <summary>Record events. The only scope of a browser key.</summary>
        public const string EventsWrite = "events:write";

        /// <summary>Change the catalogue.</summary>
        public const string CatalogWrite = "catalog:write";

        /// <summary>Read features.</summary>
        public const string FeaturesRead = "features:read";

        /// <summary>Ask the models.</summary>
        public const string Predict = "predict";

        /// <summary>Everything an admin may do. Server keys only; in a token it means nothing, there the role decides.</summary>
        public const string Admin = "admin";

        /// <summary>Every scope there is.</summary>
        public static IReadOnlyList<string> All { get; } = [EventsWrite, CatalogWrite, FeaturesRead, Predict, Admin];
    }
}
