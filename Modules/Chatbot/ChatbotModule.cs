using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Chatbot;

/// <summary>The Chatbot room: what it registers.</summary>
public static class ChatbotModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddChatbot(this IServiceCollection services) => services;
}
