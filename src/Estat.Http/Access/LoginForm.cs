// What a browser sees instead of a page that it may not see: a form for the token, in the reader's language, that works without a script.
using System.Net.Mime;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Estat.Http.Answering;

namespace Estat.Http.Access;

/// <summary>Why the form is shown.</summary>
internal enum LoginReason
{
    /// <summary>Nothing was shown yet.</summary>
    Asked,

    /// <summary>Another token was shown.</summary>
    WrongToken,

    /// <summary>Too many others were.</summary>
    TooMany,

    /// <summary>There is no token to show: this node's pages are for the node itself.</summary>
    NoToken,
}

/// <summary>One self-contained page. Nothing of the request goes into it but the path to go back to, encoded.</summary>
internal static class LoginForm
{
    private const string Style = """
        :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:0;display:grid;min-height:100vh;place-items:center}
        main{box-sizing:border-box;width:100%;max-width:24rem;padding:1.5rem}h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:0 0 1rem}
        label{display:block;margin-bottom:.25rem}input,button{box-sizing:border-box;width:100%;font:inherit;padding:.6rem;border-radius:.4rem}
        input{border:1px solid #888}button{margin-top:.75rem;border:0;background:#1f5fbf;color:#fff;cursor:pointer}
        :focus-visible{outline:2px solid #4a90e2;outline-offset:2px}.bad{color:#c02626;color:light-dark(#b01212,#ff8a8a)}.hint{font-size:.875rem;opacity:.85;margin-top:1rem}
        """;

    private static readonly string Policy = BrowserHeaders.OnlyStyle(
        $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}");

    private static readonly Words English = new(
        "en", "These pages are for the operator of this node.", "Admin token", "Open", "The token is the ADMIN_TOKEN that the node was started with.",
        "That is not this node's token.", "Too many wrong tokens came from your address. Try again in {0} s.",
        "These pages are open only on the node itself. To open them to others, start the node with ADMIN_TOKEN (16 or more characters).",
        "This connection is not encrypted: anybody on the network can read the token. To turn TLS on, set HTTP_TLS_CERT and HTTP_TLS_KEY.");

    private static readonly Words Korean = new(
        "ko", "이 노드를 운영하는 사람을 위한 페이지입니다.", "관리자 토큰", "열기", "노드를 시작할 때 정한 ADMIN_TOKEN 값입니다.",
        "이 노드의 토큰이 아닙니다.", "이 주소에서 틀린 토큰이 너무 많이 왔습니다. {0}초 뒤에 다시 시도하세요.",
        "노드 자신에서만 열립니다. 다른 곳에서 열려면 ADMIN_TOKEN(16자 이상)을 정해 노드를 시작하세요.",
        "이 연결은 암호화되지 않아 네트워크의 다른 사람이 토큰을 읽을 수 있습니다. HTTP_TLS_CERT와 HTTP_TLS_KEY로 TLS를 켜세요.");

    /// <summary>Whether this is a browser that is to show the answer.</summary>
    internal static bool IsFor(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase);

    /// <summary>Answers with the form, under a status that was set before.</summary>
    /// <param name="context">The request.</param>
    /// <param name="reason">Why.</param>
    /// <param name="next">Where to go with the right token; a path of this node.</param>
    /// <param name="isExposed">Whether others can read along.</param>
    /// <param name="seconds">How long <see cref="LoginReason.TooMany"/> lasts.</param>
    internal static Task WriteAsync(HttpContext context, LoginReason reason, string next, bool isExposed, int seconds = 0)
    {
        Words words = IsKorean(context.Request.Headers.AcceptLanguage.ToString()) ? Korean : English;
        byte[] page = Encoding.UTF8.GetBytes(Render(words, reason, next, isExposed, seconds));
        HttpResponse response = context.Response;
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.Vary = "Accept, Accept-Language";
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = page.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : AnswerBody.WriteAsync(context, page, own: page.Length);
    }

    private static string Render(Words words, LoginReason reason, string next, bool isExposed, int seconds)
    {
        string complaint = reason switch
        {
            LoginReason.WrongToken => words.Wrong,
            LoginReason.TooMany => string.Format(System.Globalization.CultureInfo.InvariantCulture, words.TooMany, seconds),
            LoginReason.NoToken => words.NoToken,
            _ => "",
        };
        var page = new StringBuilder($"""
            <!doctype html><html lang="{words.Language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Estat</title>
            <style>{Style}</style></head><body><main><h1>Estat</h1><p>{words.Lead}</p>
            """);
        if (complaint.Length > 0)
        {
            page.Append("<p class=\"bad\" role=\"alert\">").Append(complaint).Append("</p>");
        }

        if (reason != LoginReason.NoToken)
        {
            page.Append($"""
                <form method="post" action="/admin/session"><input type="hidden" name="next" value="{HtmlEncoder.Default.Encode(next)}">
                <label for="token">{words.Label}</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
                <button>{words.Button}</button></form><p class="hint">{words.Hint}</p>
                """);
            if (isExposed)
            {
                page.Append("<p class=\"hint bad\">").Append(words.Exposed).Append("</p>");
            }
        }

        return page.Append("</main></body></html>\n").ToString();
    }

    // The first of the two languages that the reader names.
    private static bool IsKorean(string accepted)
    {
        int korean = accepted.IndexOf("ko", StringComparison.OrdinalIgnoreCase);
        int english = accepted.IndexOf("en", StringComparison.OrdinalIgnoreCase);
        return korean >= 0 && (english < 0 || korean < english);
    }

    private sealed record Words(
        string Language, string Lead, string Label, string Button, string Hint, string Wrong, string TooMany, string NoToken, string Exposed);
}
