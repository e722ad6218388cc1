"""The vocabulary of the made-up shop: how a Romanian garden and DIY merchant describes his goods.

Belongs here: words and sentences, as data; vendors are invented. Does not belong here: the goods themselves
(`families`), and how words are drawn and put together (`pools`, `goods`).
"""

VENDORS: tuple[str, ...] = (
    "Grădina Verde",
    "Verdelux",
    "Casa & Grădina",
    "Carpat Tools",
    "Meșterul Ilie",
    "Fierăria Brașov",
    "Agro Bărăgan",
    "Hortiplant",
    "Sămânța Bună",
    "Aqua Rom",
    "Stejarul",
    "Lemn & Metal",
    "Ardeal Garden",
    "Vulturul",
    "Dunărea Unelte",
    "Electro Olt",
    "Luminița",
    "Scule Pro",
    "Terra Moldova",
    "Bucovina Wood",
    "Oltenia Agro",
    "Tehno Șantier",
    "Vopseaua Noastră",
    "Prahova Fix",
)

SERIES: tuple[str, ...] = (
    "Classic",
    "Pro",
    "Expert",
    "Eco",
    "Compact",
    "Maxi",
    "Confort",
    "Premium",
    "Rustic",
    "Turbo",
    "Ușor",
    "Robust",
)

MATERIALS: tuple[str, ...] = (
    "oțel inoxidabil",
    "oțel zincat",
    "aluminiu anodizat",
    "polipropilenă reciclată",
    "lemn de frasin",
    "lemn de fag",
    "fibră de sticlă",
    "cauciuc natural",
    "PVC fără ftalați",
    "alamă nichelată",
    "ceramică smălțuită",
    "oțel călit",
    "plastic ABS",
    "iută naturală",
)

COLOURS: tuple[str, ...] = (
    "Verde",
    "Negru",
    "Gri antracit",
    "Teracotă",
    "Alb",
    "Maro",
    "Roșu",
    "Bej",
    "Galben",
    "Albastru",
    "Verde măsliniu",
    "Portocaliu",
)

SIZES: tuple[str, ...] = ("S", "M", "L", "XL", "10 m", "15 m", "25 m", "50 m", '1/2"', '3/4"', "Ø 20 cm", "Ø 35 cm")

PLACES: tuple[str, ...] = (
    "grădină",
    "livadă",
    "curte",
    "seră",
    "atelier",
    "balcon",
    "terasă",
    "solar",
    "garaj",
    "casa de la țară",
    "șantier",
    "parc",
    "vie",
    "pepinieră",
)

SEASONS: tuple[str, ...] = ("primăvară", "vară", "toamnă", "iarnă")

USES: tuple[str, ...] = (
    "udarea răsadurilor",
    "tăierea crengilor uscate",
    "pregătirea stratului de flori",
    "curățarea aleilor",
    "strângerea frunzelor",
    "plantarea pomilor fructiferi",
    "fixarea scândurilor",
    "renovarea casei",
    "îngrijirea gazonului",
    "transportul pământului",
    "întreținerea gardului viu",
    "lucrările mici din gospodărie",
    "protejarea plantelor de îngheț",
    "afânarea solului",
    "montajul pergolei",
    "zugrăvirea pereților",
)

QUALITIES: tuple[str, ...] = (
    "rezistent la rugină",
    "ușor de curățat",
    "stabil chiar și pe teren denivelat",
    "plăcut la atingere",
    "gândit pentru folosire îndelungată",
    "potrivit și pentru începători",
    "protejat împotriva razelor UV",
    "verificat bucată cu bucată",
    "fabricat în România",
    "silențios în funcționare",
    "simplu de montat fără scule speciale",
    "rezistent la șocuri & zgârieturi",
)

SENTENCES: tuple[str, ...] = (
    "Ideal pentru {use}, în {place} sau oriunde aveți nevoie de un ajutor de nădejde.",
    "Este confecționat din {material} și este {quality}.",
    "Partea activă, din {material}, își păstrează forma și după {number} de sezoane.",
    "Recomandat mai ales {season}, când {use} cere cel mai mult timp.",
    "Mânerul din {material} stă bine în mână și nu alunecă, nici cu mănuși ude.",
    "Rezistă la temperaturi între −{small} °C și +{number} °C și este {quality}.",
    "Se livrează în ambalaj de carton reciclat, cu instrucțiuni în limba română & engleză.",
    "Garanție {small} ani pentru persoane fizice și {small} luni pentru persoane juridice.",
    "Pentru {use} vă sfătuim să alegeți modelul de {number} cm, mai ușor de mânuit.",
    "Clienții noștri îl folosesc în {place} pentru {use} și spun că este {quality}.",
    "Îmbinările sunt întărite cu {material}, iar șuruburile sunt protejate contra coroziunii.",
    "Greutatea redusă îl face potrivit pentru {use} fără oboseală, chiar și după {small} ore.",
    "După folosire se spală cu apă, se șterge și se păstrează la loc uscat, ferit de îngheț.",
    "Un produs {quality}, ales de {number}% dintre grădinarii care au răspuns întrebărilor noastre.",
    "Suprafața tratată este {quality}; culoarea nu se decolorează în {place}.",
    "Înainte de {season}, verificați garniturile și strângeți piulițele cu o cheie de {small} mm.",
    "Pachetul conține {small} bucăți, suficiente pentru {use} pe o suprafață de {number} m².",
    "Potrivit pentru {place} și {place}, în orice anotimp, mai ales {season}.",
    "Așezați-l pe o suprafață plană; consumul este de circa {number} l/oră.",
    "Certificat conform normelor europene EN {number}{small}/A{small}, fără substanțe nocive.",
    "Nu necesită întreținere specială: o picătură de ulei {season} este de ajuns.",
    "Față de modelul anterior, {material} înlocuiește plasticul, iar rezultatul este {quality}.",
    "Piese de schimb disponibile încă {small} ani: lamă, resort, garnituri și șuruburi M{small}.",
    "Livrare în 24/48 de ore din depozitul nostru; retur gratuit în {number} de zile.",
)
"""Sentences of descriptions; the slots are filled from the lists above and with numbers."""

ALT_TEXTS: tuple[str, ...] = ("vedere din față", "detaliu mâner", "în grădină", "ambalaj", "dimensiuni", "în folosință")
