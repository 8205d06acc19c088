namespace OKLA.Tracking.Privacy;

/// <summary>
/// What a person agreed to, and what follows from it. These are all the rules:
/// <list type="number">
/// <item>An event says it in <c>context.consent</c>: <c>necessary</c>, <c>analytics</c> or <c>marketing</c>, each including the one before
/// it, or a list of exactly what was agreed to. One that says nothing counts as <c>Tracking:ConsentWhenUnsaid</c>.</item>
/// <item>A request with <c>DNT: 1</c> or <c>Sec-GPC: 1</c> agrees to <c>necessary</c> only, whatever its events say.</item>
/// <item>Without analytics an event only counts: its type, time, item, and properties that are numbers, choices, flags or names of
/// things are kept. Identities, address, the rest of the context and everything in words are dropped before storing, and a rejected
/// event keeps its reason but not its body.</item>
/// <item>With analytics the event is kept with its identities; the address as a keyed hash whose key is destroyed after some days.</item>
/// <item>Marketing is kept with the event, so that whoever uses it for advertising can leave out who did not agree.</item>
/// <item>Whatever was agreed to, personal data in words is masked and an address is never stored.</item>
/// </list>
/// </summary>
[Flags]
internal enum Consent
{
    /// <summary>Only what the site needs to work: counting.</summary>
    Necessary = 0,

    /// <summary>Following a visit.</summary>
    Analytics = 1,

    /// <summary>Use for advertising.</summary>
    Marketing = 2,
}

/// <summary>Reads <c>context.consent</c>.</summary>
internal static class ConsentWords
{
    /// <summary>The consent of one word of a list; null when there is no such word.</summary>
    public static Consent? Exactly(string? word) => word switch
    {
        "necessary" => Consent.Necessary,
        "analytics" => Consent.Analytics,
        "marketing" => Consent.Marketing,
        _ => null,
    };

    /// <summary>The consent of a word that stands alone, which includes the lower ones.</summary>
    public static Consent? Level(string? word) => word == "marketing" ? Consent.Analytics | Consent.Marketing : Exactly(word);
}
