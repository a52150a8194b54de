// What rules decided, written to Kestrel's requests.
namespace Estat.Http.Intake;

/// <summary>The one place for it behind Kestrel; each other door has one of its own.</summary>
internal static class HttpAnswers
{
    /// <summary>Counts a refusal and answers with it, unless an answer is already on its way.</summary>
    internal static Task WriteAsync(HttpContext context, Refusal refusal)
    {
        refusal.Counter.Increment();
        if (refusal.RetryAfter.Count > 0 && !context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = refusal.RetryAfter;
        }

        return refusal.Problem.WriteAsync(context);
    }

    /// <summary>Marks an answer as readable for a page; leaves one that is to no page as it is.</summary>
    internal static void Show(HttpContext context, PageAnswer page)
    {
        if (!page.IsToPage)
        {
            return;
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.Vary = page.Vary;
        headers.AccessControlAllowOrigin = page.Origin;
        headers.AccessControlAllowCredentials = page.Credentials;
        headers.AccessControlExposeHeaders = page.ExposedHeaders;
    }
}
