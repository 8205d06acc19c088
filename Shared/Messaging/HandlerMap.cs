using System.Collections.Frozen;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Shared.Messaging;

/// <summary>One handler method, compiled: <paramref name="Run"/> resolves its services from the given scope and answers what it returned.</summary>
/// <param name="Name">Class and method, for logs and metrics.</param>
/// <param name="Message">The message type it takes first.</param>
/// <param name="Answer">What it returns, unwrapped from its task; <see cref="void"/> when nothing.</param>
/// <param name="Services">What it needs from the container.</param>
/// <param name="Run">The call.</param>
internal sealed record Handler(
    string Name, Type Message, Type Answer, IReadOnlyList<Type> Services, Func<IServiceProvider, object, CancellationToken, Task<object?>> Run);

/// <summary>Every handler by the exact type of its message, found once by convention.</summary>
internal sealed class HandlerMap
{
    private static readonly MethodInfo Resolve =
        typeof(ServiceProviderServiceExtensions).GetMethod(nameof(ServiceProviderServiceExtensions.GetRequiredService), 1, [typeof(IServiceProvider)])!;

    private readonly FrozenDictionary<Type, Handler[]> _handlers;

    /// <summary>Reads the handlers and the contracts among <paramref name="types"/>.</summary>
    /// <exception cref="InvalidOperationException">A contract without exactly one handler, a handler that cannot be called; all are named.</exception>
    public HandlerMap(IEnumerable<Type> types, IServiceProviderIsService? known = null)
    {
        var all = types.Distinct().ToArray();
        var problems = new List<string>();
        var methods = all.Where(t => t.IsClass && t.Name.EndsWith("Handler", StringComparison.Ordinal) && (!t.IsAbstract || t.IsSealed))
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(m => m.Name is "Handle" or "HandleAsync" && !m.IsPrivate);
        var handlers = new List<Handler>();
        foreach (var method in methods)
            if (method.ContainsGenericParameters || method.GetParameters() is [] || method.GetParameters().Any(p => p.ParameterType.IsByRef))
                problems.Add($"{NameOf(method)} cannot be a handler: it needs a message first, no type parameters, no references");
            else
                handlers.Add(Compile(method));

        _handlers = handlers.GroupBy(h => h.Message).ToFrozenDictionary(g => g.Key, g => g.ToArray());
        problems.AddRange(all.Where(t => t is { IsAbstract: false, IsInterface: false }).SelectMany(Check));
        if (known is not null)
            problems.AddRange(handlers.SelectMany(h => h.Services.Where(s => !known.IsService(s)).Select(s => $"{h.Name} needs {s.FullName}, which is not registered")));
        if (problems.Count > 0)
            throw new InvalidOperationException("Messages and handlers do not fit: " + string.Join("; ", problems.Order(StringComparer.Ordinal)));
    }

    public int Handlers => _handlers.Values.Sum(h => h.Length);

    public int Messages => _handlers.Count;

    public IReadOnlyList<Handler> For(Type message) => _handlers.TryGetValue(message, out var found) ? found : [];

    public Handler One(Type message) => For(message) switch
    {
    [var one] => one,
    [] => throw new InvalidOperationException($"No handler for {message.FullName}"),
        var many => throw new InvalidOperationException($"{many.Count} handlers for {message.FullName}: {string.Join(", ", many.Select(h => h.Name))}"),
    };

    private IEnumerable<string> Check(Type type)
    {
        var answers = type.GetInterfaces().Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IQuery<>)).Select(i => i.GenericTypeArguments[0]).ToArray();
        if (answers.Length == 0 && !typeof(ICommand).IsAssignableFrom(type)) yield break;
        var found = For(type);
        if (found.Count == 0) yield return $"{type.FullName} has no handler";
        if (found.Count > 1) yield return $"{type.FullName} has {found.Count} handlers: {string.Join(", ", found.Select(h => h.Name))}";
        if (found is not [var handler]) yield break;
        foreach (var answer in answers)
            if (!PartsOf(handler.Answer).Any(answer.IsAssignableFrom))
                yield return $"{handler.Name} answers {handler.Answer.Name} to {type.FullName}, not {answer.Name}";
    }

    private static Type[] PartsOf(Type answer) =>
        typeof(ITuple).IsAssignableFrom(answer) ? [answer, .. answer.GenericTypeArguments] : [answer];

    private static string NameOf(MethodInfo method) => $"{method.DeclaringType!.FullName}.{method.Name}";

    private static Handler Compile(MethodInfo method)
    {
        var services = Expression.Parameter(typeof(IServiceProvider));
        var message = Expression.Parameter(typeof(object));
        var ct = Expression.Parameter(typeof(CancellationToken));
        var parameters = method.GetParameters();
        var needs = parameters.Skip(1).Select(p => p.ParameterType).Where(t => t != typeof(CancellationToken)).ToArray();
        Expression Argument(ParameterInfo p, int i) =>
            i == 0 ? Expression.Convert(message, p.ParameterType)
            : p.ParameterType == typeof(CancellationToken) ? ct
            : Expression.Call(Resolve.MakeGenericMethod(p.ParameterType), services);

        Expression? instance = null;
        if (!method.IsStatic)
        {
            var create = ActivatorUtilities.CreateFactory(method.DeclaringType!, []);
            instance = Expression.Convert(Expression.Invoke(Expression.Constant(create), services, Expression.Constant(null, typeof(object[]))), method.DeclaringType!);
        }

        Expression call = Expression.Call(instance, method, parameters.Select(Argument));
        var (answer, wrapper) = Unwrap(method.ReturnType);
        var body = method.ReturnType == typeof(void)
            ? Expression.Block(call, Expression.Constant(Task.FromResult<object?>(null)))
            : (Expression)Expression.Call(wrapper, call);
        var run = Expression.Lambda<Func<IServiceProvider, object, CancellationToken, Task<object?>>>(body, services, message, ct).Compile();
        return new(NameOf(method), parameters[0].ParameterType, answer, needs, run);
    }

    private static (Type Answer, MethodInfo Wrapper) Unwrap(Type returned)
    {
        MethodInfo Named(string name) => typeof(HandlerMap).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;
        if (returned == typeof(Task)) return (typeof(void), Named(nameof(OfTask)));
        if (returned == typeof(ValueTask)) return (typeof(void), Named(nameof(OfValueTask)));
        var generic = returned.IsGenericType ? returned.GetGenericTypeDefinition() : null;
        if (generic == typeof(Task<>)) return (returned.GenericTypeArguments[0], Named(nameof(OfTaskOf)).MakeGenericMethod(returned.GenericTypeArguments));
        if (generic == typeof(ValueTask<>)) return (returned.GenericTypeArguments[0], Named(nameof(OfValueTaskOf)).MakeGenericMethod(returned.GenericTypeArguments));
        return (returned, Named(nameof(OfValue)).MakeGenericMethod(returned == typeof(void) ? typeof(object) : returned));
    }

    private static async Task<object?> OfTask(Task task)
    {
        await task;
        return null;
    }

    private static async Task<object?> OfValueTask(ValueTask task)
    {
        await task;
        return null;
    }

    private static async Task<object?> OfTaskOf<T>(Task<T> task) => await task;

    private static async Task<object?> OfValueTaskOf<T>(ValueTask<T> task) => await task;

    private static Task<object?> OfValue<T>(T value) => Task.FromResult<object?>(value);
}
