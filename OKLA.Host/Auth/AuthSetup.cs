using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>Signing in: bearer tokens, API keys, the policies that endpoints ask for and, in Development, the demo accounts.</summary>
internal static class AuthSetup
{
    private const string AnyCredential = "okla";

    /// <summary>Registers it. Section <see cref="AuthOptions.Section"/> is read; a wrong value stops the start.</summary>
    public static IServiceCollection AddOklaAuth(this IServiceCollection services, IConfiguration configuration, IHostEnvironment environment)
    {
        services.AddOptions<AuthOptions>().Bind(configuration.GetSection(AuthOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<AuthOptions>>(new AuthOptionsNeedKeys(environment));
        services.TryAddSingleton(TimeProvider.System);
        services.AddHttpClient(SigningKeys.HttpClient).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false });
        services.AddSingleton<SigningKeys>().AddSingleton<FailureLimiter>().AddSingleton<ApiKeys>();
        if (environment.IsDevelopment()) services.AddSingleton<DemoIssuer>();

        services.AddAuthentication(AnyCredential)
            .AddPolicyScheme(AnyCredential, null, scheme => scheme.ForwardDefaultSelector = context =>
                ApiKeyHandler.IsSent(context.Request) ? ApiKeyHandler.Scheme : JwtBearerHandler.Scheme)
            .AddScheme<AuthenticationSchemeOptions, JwtBearerHandler>(JwtBearerHandler.Scheme, null)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.Scheme, null);
        services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Anonymous, policy => policy.RequireAssertion(context =>
                (context.Resource as HttpContext)?.Features.Get<RefusedCredential>() is null))
            .AddPolicy(Policies.Buyer, policy => policy.RequireRole(CurrentUser.Claims.Buyer, CurrentUser.Claims.Admin))
            .AddPolicy(Policies.Dealer, policy => policy.RequireRole(CurrentUser.Claims.Dealer, CurrentUser.Claims.Admin))
            .AddPolicy(Policies.Admin, policy => policy.RequireRole(CurrentUser.Claims.Admin))
            .AddPolicy(Policies.EventsWrite, Scope(Policies.Scopes.EventsWrite))
            .AddPolicy(Policies.CatalogWrite, Scope(Policies.Scopes.CatalogWrite))
            .AddPolicy(Policies.FeaturesRead, Scope(Policies.Scopes.FeaturesRead))
            .AddPolicy(Policies.Predict, Scope(Policies.Scopes.Predict));
        return services;
    }

    /// <summary>Maps <c>/api/admin/api-keys</c> and, in Development, <c>/api/auth/demo</c>; a key source that cannot be used stops the start here.</summary>
    public static void MapAuth(this IEndpointRouteBuilder app)
    {
        app.ServiceProvider.GetRequiredService<SigningKeys>();

        var keys = app.MapGroup("/api/admin/api-keys").WithTags("API keys").RequireAuthorization(Policies.Admin);
        ListApiKeys.Map(keys);
        CreateApiKey.Map(keys);
        RevokeApiKey.Map(keys);

        if (app.ServiceProvider.GetRequiredService<IHostEnvironment>().IsDevelopment())
            DemoIssuer.Map(app.MapGroup("/api/auth").WithTags("Sign-in"));
    }

    private static Action<AuthorizationPolicyBuilder> Scope(string scope) =>
        policy => policy.RequireAuthenticatedUser().RequireAssertion(context => CurrentUser.From(context.User).Has(scope));
}
